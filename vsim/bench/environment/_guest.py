"""A guest without an operating system, run by /dev/kvm itself: does this host execute guests, and how fast?

A program of its own, never imported: an ioctl that doesn't return can only be ended by killing the process. It writes
one byte to standard output for each portion of work that the guest has done, then `.` when the guest has halted.

    python _guest.py                    the guest
    python _guest.py PROGRAM ARG …      PROGRAM in its place, with the same promise to end when the parent does
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import platform
import resource
import signal
import struct
import sys

_PR_SET_PDEATHSIG = 1
_CPU_LIMIT_S = 20

# linux/kvm.h
_KVM_GET_API_VERSION = 0xAE00
_KVM_CREATE_VM = 0xAE01
_KVM_GET_VCPU_MMAP_SIZE = 0xAE04
_KVM_CREATE_VCPU = 0xAE41
_KVM_RUN = 0xAE80
_KVM_SET_USER_MEMORY_REGION = 0x4020AE46
_KVM_SET_REGS = 0x4090AE82
_KVM_GET_SREGS = 0x8138AE83
_KVM_SET_SREGS = 0x4138AE84
_KVM_SET_ONE_REG = 0x4010AEAC
_KVM_ARM_VCPU_INIT = 0x4020AEAE
_KVM_ARM_PREFERRED_TARGET = 0x8020AEAF
_EXIT_IO, _EXIT_HLT, _EXIT_MMIO = 2, 5, 6

_MEMORY = 2 * 2**20
_CODE = 0x1000

# Each portion is a loop of 2 instructions, 100 000 times; hardware does the hundred portions in 10 ms.
PORTIONS = 100
ITERATIONS = 100_000


def _x86_code() -> bytes:
    # mov esi, PORTIONS; mov edx, 0x3f8; mov al, 'v'
    # portion: mov ecx, ITERATIONS; loop: dec ecx; jnz loop; out dx, al; dec esi; jnz portion; hlt
    head = b"\xbe" + struct.pack("<I", PORTIONS) + b"\xba\xf8\x03\0\0" + b"\xb0v"
    portion = b"\xb9" + struct.pack("<I", ITERATIONS) + b"\xff\xc9\x75\xfc" + b"\xee" + b"\xff\xce"
    return head + portion + b"\x75" + struct.pack("b", -len(portion) - 2) + b"\xf4"


def _x86_cpu(cpu: int, memory: mmap.mmap) -> None:
    """Put the processor into 64-bit mode with paging, as every operating system does early."""
    # One page of 2 MiB, mapped onto itself: PML4 at 0x2000, PDPT at 0x3000, PD at 0x4000.
    for place, entry in ((0x2000, 0x3003), (0x3000, 0x4003), (0x4000, 0x83)):
        memory[place : place + 8] = struct.pack("<Q", entry)
    system = bytearray(312)
    fcntl.ioctl(cpu, _KVM_GET_SREGS, system, True)
    # struct kvm_segment: base, limit, selector, type, present, dpl, db, s, l, g, avl, unusable, padding
    struct.pack_into("=QIH10B", system, 0, 0, 0xFFFFFFFF, 8, 11, 1, 0, 0, 1, 1, 1, 0, 0, 0)
    for number in range(1, 6):
        struct.pack_into("=QIH10B", system, number * 24, 0, 0xFFFFFFFF, 16, 3, 1, 0, 1, 1, 0, 1, 0, 0, 0)
    # After 8 segments of 24 bytes and 2 tables of 16: cr0, cr2, cr3, cr4, cr8, efer, apic_base.
    cr0, cr2, _, cr4, cr8, efer, apic = struct.unpack_from("=7Q", system, 224)
    struct.pack_into("=7Q", system, 224, cr0 | 0x80000001, cr2, 0x2000, cr4 | 0x20, cr8, efer | 0x500, apic)
    fcntl.ioctl(cpu, _KVM_SET_SREGS, bytes(system))
    # rax rbx rcx rdx rsi rdi rsp rbp r8…r15 rip rflags
    fcntl.ioctl(cpu, _KVM_SET_REGS, struct.pack("=18Q", *[0] * 16, _CODE, 2))


def _arm_code() -> bytes:
    words = (
        0xD2A20000,  # mov x0, #0x10000000: no memory there, so a store leaves the guest
        0x52800002 | PORTIONS << 5,  # mov w2, #PORTIONS
        0x52800001 | (ITERATIONS & 0xFFFF) << 5,  # portion: mov w1, #ITERATIONS (low half)
        0x72A00001 | (ITERATIONS >> 16) << 5,  # movk w1, #…, lsl #16
        0x71000421,  # loop: subs w1, w1, #1
        0x54FFFFE1,  # b.ne loop
        0x39000001,  # strb w1, [x0]
        0x71000442,  # subs w2, w2, #1
        0x54FFFF41,  # b.ne portion
        0x39000401,  # strb w1, [x0, #1]: the end
        0x14000000,  # b .
    )
    return struct.pack(f"<{len(words)}I", *words)


def _arm_cpu(machine: int, cpu: int) -> None:
    target = bytearray(32)
    fcntl.ioctl(machine, _KVM_ARM_PREFERRED_TARGET, target, True)
    fcntl.ioctl(cpu, _KVM_ARM_VCPU_INIT, bytes(target))
    value = ctypes.c_uint64(_CODE)
    # KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | regs.pc
    fcntl.ioctl(cpu, _KVM_SET_ONE_REG, struct.pack("=QQ", 0x6030000000100040, ctypes.addressof(value)))


def _run() -> None:
    kvm = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
    if fcntl.ioctl(kvm, _KVM_GET_API_VERSION, 0) != 12:
        raise OSError("another version of the interface")
    machine = fcntl.ioctl(kvm, _KVM_CREATE_VM, 0)
    memory = mmap.mmap(-1, _MEMORY)
    arm = platform.machine() == "aarch64"
    code = _arm_code() if arm else _x86_code()
    memory[_CODE : _CODE + len(code)] = code
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    fcntl.ioctl(machine, _KVM_SET_USER_MEMORY_REGION, struct.pack("=IIQQQ", 0, 0, 0, _MEMORY, address))
    cpu = fcntl.ioctl(machine, _KVM_CREATE_VCPU, 0)
    state = mmap.mmap(cpu, fcntl.ioctl(kvm, _KVM_GET_VCPU_MMAP_SIZE, 0))
    if arm:
        _arm_cpu(machine, cpu)
    else:
        _x86_cpu(cpu, memory)
    os.write(1, b"(")
    while True:
        fcntl.ioctl(cpu, _KVM_RUN, 0)
        (reason,) = struct.unpack_from("=I", state, 8)
        # For MMIO the union at 32 begins with the address.
        done = reason == _EXIT_HLT or (reason == _EXIT_MMIO and struct.unpack_from("=Q", state, 32)[0] == 0x10000001)
        if done:
            break
        if reason not in (_EXIT_IO, _EXIT_MMIO):
            raise OSError(f"the guest ended with exit reason {reason}")
        os.write(1, b"v")
    os.write(1, b".")


def main() -> None:
    """Tie this process to its parent, then run the guest, or become the program named by the arguments."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_LIMIT_S, _CPU_LIMIT_S))
    if sys.argv[1:]:
        os.execv(sys.argv[1], sys.argv[1:])
    try:
        _run()
    except OSError as error:
        sys.stderr.write(f"{error.strerror or error}\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
