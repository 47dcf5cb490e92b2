"""The files of /proc and /sys of real machines, as the collectors read them.

The texts are what kernels on such machines have written, taken from public reports (named at each machine) and from
hosts at hand. They are shortened: fewer processors and flags, no serial numbers, no hardware addresses. What a report
didn't show was added in the form in which that kernel writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

FIRST_PID_NAMESPACE = "pid:[4026531836]"


@dataclass(frozen=True)
class Machine:
    """Files by their path below the root; `blocks` are block devices: name or number → directory in /sys/devices."""

    files: Mapping[str, str]
    blocks: Mapping[str, str] = field(default_factory=dict)
    pid_namespace: str = FIRST_PID_NAMESPACE

    def build(self, root: Path) -> Path:
        for name, text in self.files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        for name, directory in self.blocks.items():
            (root / directory).mkdir(parents=True, exist_ok=True)
            place = root / ("sys/dev/block" if name[0].isdigit() else "sys/class/block")
            place.mkdir(parents=True, exist_ok=True)
            (place / name).symlink_to("../../" + directory.removeprefix("sys/"))
        (root / "proc/self/ns").mkdir(parents=True, exist_ok=True)
        (root / "proc/self/ns/pid").symlink_to(self.pid_namespace)
        return root


def _processors(count: int, text: str) -> str:
    return "".join(text.replace("@", str(number)) for number in range(count))


# -- a virtual machine of Firecracker's with hybrid control groups, made from a container image ------------------------

_VIRTIO = "sys/devices/pci0000:00/0000:00:02.0/virtio1/block/vda"

FIRECRACKER = Machine(
    {
        "proc/cpuinfo": _processors(
            2,
            """\
processor	: @
vendor_id	: AuthenticAMD
cpu family	: 25
model		: 17
model name	: AMD EPYC
stepping	: 1
cpu MHz		: 2596.130
cache size	: 1024 KB
physical id	: 0
siblings	: 2
core id		: @
cpu cores	: 2
fpu		: yes
flags		: fpu vme de pse tsc msr pae cx8 apic sse sse2 ht syscall nx lm constant_tsc cpuid pni hypervisor lahf_lm
bugs		: sysret_ss_attrs null_seg spectre_v1 spectre_v2 spec_store_bypass srso spectre_v2_user
bogomips	: 5192.26

""",
        ),
        "proc/meminfo": """\
MemTotal:       24684084 kB
MemFree:        24157080 kB
MemAvailable:   24112588 kB
Buffers:            1672 kB
SwapTotal:             0 kB
SwapFree:              0 kB
HugePages_Total:       0
""",
        "proc/swaps": "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
        "proc/cmdline": "mitigations=auto,no_guest_host,no_guest_guest console=ttyS0 quiet reboot=k panic=1 psi=1\n",
        "proc/self/mountinfo": """\
22 27 0:21 / /proc rw,relatime - proc proc rw
23 27 0:22 / /sys rw,relatime - sysfs sysfs rw
24 27 0:6 / /dev rw,relatime - devtmpfs devtmpfs rw,size=12334460k,nr_inodes=3083615,mode=755
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
""",
        "proc/sys/kernel/osrelease": "6.18.44-fc\n",
        "proc/sys/kernel/arch": "x86_64\n",
        "proc/stat": "cpu  1200 0 800 97500 300 0 100 100 0 0\ncpu0 600 0 400 48750 150 0 50 50 0 0\n",
        "proc/loadavg": "1.31 1.82 3.13 2/181 9576\n",
        "proc/uptime": "4968.23 9321.10\n",
        "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nID=debian\n',
        ".dockerenv": "",
        "sys/fs/cgroup/unified/cgroup.controllers": "hugetlb\n",
        "sys/firmware/acpi/tables/DSDT": "DSDT\x0f\0\0\0\x02wFIRECKFCVMDSDT\0\0\0\0FCAT",
        "sys/devices/system/cpu/smt/active": "0\n",
        "sys/devices/system/cpu/vulnerabilities/meltdown": "Not affected\n",
        "sys/devices/system/cpu/vulnerabilities/spec_store_bypass": "Vulnerable\n",
        "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
        "sys/kernel/mm/ksm/run": "0\n",
        f"{_VIRTIO}/queue/rotational": "0\n",
        f"{_VIRTIO}/queue/scheduler": "none [mq-deadline]\n",
    },
    {"254:0": _VIRTIO, "vda": _VIRTIO},
)

# -- a Raspberry Pi 4 with Raspberry Pi OS (bookworm), memory controller off as it comes -------------------------------
# cpuinfo: github.com/fastfetch-cli/fastfetch/issues/1529
# command line and cgroups: github.com/raspberrypi/linux/issues/6980

_MMC4 = "sys/devices/platform/emmc2bus/fe340000.mmc/mmc_host/mmc0/mmc0:aaaa/block/mmcblk0"

PI4 = Machine(
    {
        "proc/cpuinfo": _processors(
            4,
            """\
processor	: @
BogoMIPS	: 108.00
Features	: fp asimd evtstrm crc32 cpuid
CPU implementer	: 0x41
CPU architecture: 8
CPU variant	: 0x0
CPU part	: 0xd08
CPU revision	: 3

""",
        )
        + "Revision\t: d03115\nModel\t\t: Raspberry Pi 4 Model B Rev 1.5\n",
        "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.5\0",
        "proc/device-tree/compatible": "raspberrypi,4-model-b\0brcm,bcm2711\0",
        "proc/meminfo": "MemTotal:        7998740 kB\nMemAvailable:    7513376 kB\nSwapTotal:        204796 kB\n"
        "SwapFree:         204540 kB\n",
        "proc/swaps": "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
        "/var/swap                               file\t\t204796\t\t256\t\t-2\n",
        "proc/cmdline": "coherent_pool=1M 8250.nr_uarts=0 snd_bcm2835.enable_headphones=0 cgroup_disable=memory "
        "smsc95xx.macaddr=DC:A6:32:00:00:00 vc_mem.mem_base=0x3ec00000 vc_mem.mem_size=0x40000000 console=ttyS0,115200 "
        "console=tty1 root=PARTUUID=00000000-02 rootfstype=ext4 fsck.repair=yes rootwait\n",
        "proc/self/mountinfo": """\
21 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw
22 21 0:20 / /proc rw,relatime shared:12 - proc proc rw
23 21 0:21 / /sys rw,nosuid,nodev,noexec,relatime shared:6 - sysfs sysfs rw
27 23 0:25 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 none rw,nsdelegate,memory_recursiveprot
40 21 179:1 / /boot/firmware rw,relatime shared:17 - vfat /dev/mmcblk0p1 rw,fmask=0022,dmask=0022
""",
        # No line for memory: kernels since 6.12 leave out what has no v1 form, whether it is on or off.
        "proc/cgroups": "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t0\t99\t1\npids\t0\t99\t1\n",
        "sys/fs/cgroup/cgroup.controllers": "cpuset cpu io pids\n",
        "proc/sys/kernel/osrelease": "6.12.34+rpt-rpi-v8\n",
        "proc/sys/kernel/arch": "aarch64\n",
        "proc/loadavg": "0.02 0.05 0.01 1/162 1021\n",
        "proc/uptime": "56580.11 226255.63\n",
        "proc/stat": "cpu  2255 34 2290 22625563 6290 127 456 0 0 0\n",
        "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
        **{
            f"sys/devices/system/cpu/cpu{number}/cpufreq/{name}": text
            for number in range(4)
            for name, text in {
                "scaling_governor": "ondemand\n",
                "scaling_driver": "cpufreq-dt\n",
                "cpuinfo_max_freq": "1800000\n",
                "scaling_cur_freq": "600000\n",
            }.items()
        },
        "sys/devices/system/cpu/cpufreq/boost": "0\n",
        f"{_MMC4}/device/type": "SD\n",
        f"{_MMC4}/device/name": "SC64G\n",
        f"{_MMC4}/queue/rotational": "0\n",
        f"{_MMC4}/queue/scheduler": "none [mq-deadline] kyber\n",
        f"{_MMC4}/mmcblk0p2/partition": "2\n",
    },
    {"179:2": f"{_MMC4}/mmcblk0p2", "mmcblk0p2": f"{_MMC4}/mmcblk0p2", "mmcblk0": _MMC4},
)

# -- a Raspberry Pi 5 with an NVMe disk, memory controller switched on, swap compressed in memory ----------------------
# cpuinfo: github.com/hrw/arm-socs-table/issues/96; command line: github.com/raspberrypi/linux/issues/6980

_NVME5 = "sys/devices/platform/axi/1000110000.pcie/pci0001:00/0001:00:00.0/0001:01:00.0/nvme/nvme0/nvme0n1"

PI5 = Machine(
    {
        "proc/cpuinfo": _processors(
            4,
            """\
processor	: @
BogoMIPS	: 108.00
Features	: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
CPU implementer	: 0x41
CPU architecture: 8
CPU variant	: 0x4
CPU part	: 0xd0b
CPU revision	: 1

""",
        )
        + "Revision\t: d04170\nModel\t\t: Raspberry Pi 5 Model B Rev 1.0\n",
        "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
        "proc/meminfo": "MemTotal:        8255680 kB\nMemAvailable:    7340032 kB\nSwapTotal:       2097136 kB\n"
        "SwapFree:        2097136 kB\n",
        "proc/swaps": "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
        "/dev/zram0                              partition\t2097136\t\t0\t\t100\n",
        "proc/cmdline": "reboot=w coherent_pool=1M 8250.nr_uarts=1 pci=pcie_bus_safe cgroup_disable=memory "
        "numa_policy=interleave nvme.max_host_mem_size_mb=0 numa=fake=8 system_heap.max_order=0 "
        "smsc95xx.macaddr=2C:CF:67:00:00:00 vc_mem.mem_base=0x3fc00000 vc_mem.mem_size=0x40000000 cgroup_enable=memory "
        "console=ttyAMA10,115200 console=tty1 root=PARTUUID=00000000-02 rootfstype=ext4 fsck.repair=yes rootwait\n",
        "proc/self/mountinfo": """\
28 1 259:2 / / rw,noatime shared:1 - ext4 /dev/nvme0n1p2 rw
30 28 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:6 - sysfs sysfs rw
34 30 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 none rw,nsdelegate,memory_recursiveprot
""",
        "sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids\n",
        "proc/sys/kernel/osrelease": "6.12.34+rpt-rpi-2712\n",
        "proc/sys/kernel/arch": "aarch64\n",
        "proc/loadavg": "0.08 0.03 0.01 1/185 2210\n",
        "proc/uptime": "8112.40 31902.77\n",
        **{
            f"sys/devices/system/cpu/cpu{number}/cpufreq/{name}": text
            for number in range(4)
            for name, text in {
                "scaling_governor": "performance\n",
                "scaling_driver": "cpufreq-dt\n",
                "cpuinfo_max_freq": "2400000\n",
                "scaling_cur_freq": "2400000\n",
            }.items()
        },
        f"{_NVME5}/device/model": "WD_BLACK SN770M 500GB                   \n",
        f"{_NVME5}/queue/rotational": "0\n",
        f"{_NVME5}/queue/scheduler": "[none] mq-deadline kyber\n",
        f"{_NVME5}/nvme0n1p2/partition": "2\n",
    },
    {"259:2": f"{_NVME5}/nvme0n1p2", "nvme0n1p2": f"{_NVME5}/nvme0n1p2", "nvme0n1": _NVME5},
)

# -- a server with two sockets, Debian 12, cgroup v2, its root on LVM on rotating disks --------------------------------
# cpuinfo: insights/parsers/tests/test_cpuinfo.py of github.com/RedHatInsights/insights-core

_XEON = """\
processor	: {number}
vendor_id	: GenuineIntel
cpu family	: 6
model		: 45
model name	: Intel(R) Xeon(R) CPU E5-2670 0 @ 2.60GHz
stepping	: 7
cpu MHz		: {mhz}
cache size	: 20480 KB
physical id	: {socket}
siblings	: 16
core id		: {core}
cpu cores	: 8
flags		: fpu vme de pse tsc msr pae cx8 apic acpi mmx sse sse2 ss ht tm syscall nx lm pni vmx smx est ept vpid
vmx flags	: vnmi preemption_timer invvpid ept_x_only ept_1gb
bogomips	: 5199.96

"""
_SDA = "sys/devices/pci0000:00/0000:00:02.2/0000:03:00.0/host0/target0:2:0/0:2:0:0/block/sda"
_DM = "sys/devices/virtual/block/dm-0"

SERVER = Machine(
    {
        "proc/cpuinfo": "".join(
            _XEON.format(number=number, mhz=mhz, socket=socket, core=core)
            for number, (socket, core, mhz) in enumerate(
                [(0, 0, "2600.000"), (1, 0, "3000.000"), (0, 1, "2600.000"), (1, 1, "3000.000"), (0, 0, "2800.000")]
            )
        ),
        "proc/meminfo": "MemTotal:       131923420 kB\nMemAvailable:   120586240 kB\nSwapTotal:      999420 kB\n"
        "SwapFree:       999420 kB\n",
        "proc/swaps": "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
        "/dev/dm-1                               partition\t999420\t\t0\t\t-2\n",
        "proc/cmdline": "BOOT_IMAGE=/vmlinuz-6.1.0-28-amd64 root=/dev/mapper/vg0-root ro quiet isolcpus=2,3\n",
        "proc/self/mountinfo": """\
21 27 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
22 27 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/mapper/vg0-root rw,errors=remount-ro
30 21 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 none rw,nsdelegate,memory_recursiveprot
""",
        "sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory hugetlb pids rdma misc\n",
        "proc/sys/kernel/osrelease": "6.1.0-28-amd64\n",
        "proc/loadavg": "0.00 0.01 0.05 1/420 77812\n",
        "proc/uptime": "2411764.92 38101190.33\n",
        "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
        "sys/class/dmi/id/sys_vendor": "Dell Inc.\n",
        "sys/class/dmi/id/product_name": "PowerEdge R620\n",
        "sys/class/dmi/id/chassis_type": "23\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_driver": "acpi-cpufreq\n",
        "sys/devices/system/cpu/cpufreq/boost": "1\n",
        "sys/devices/system/cpu/smt/active": "1\n",
        "sys/kernel/mm/ksm/run": "1\n",
        "sys/class/power_supply/.keep": "",
        f"{_DM}/slaves/sda3/partition": "3\n",
        f"{_DM}/queue/rotational": "1\n",
        f"{_SDA}/sda3/partition": "3\n",
        f"{_SDA}/device/model": "PERC H710P      \n",
        f"{_SDA}/queue/rotational": "1\n",
        f"{_SDA}/queue/scheduler": "[mq-deadline] none\n",
    },
    {"254:0": _DM, "dm-0": _DM, "sda3": f"{_SDA}/sda3", "sda": _SDA},
)

# -- WSL2 on a laptop --------------------------------------------------------------------------------------------------
# cpuinfo: github.com/fastfetch-cli/fastfetch/issues/1529; command line: github.com/microsoft/WSL/issues/11822;
# mounts: github.com/alumet-dev/alumet/issues/472

_SDD = (
    "sys/devices/LNXSYSTM:00/LNXSYBUS:00/ACPI0004:00/MSFT1000:00/fd1d2cbd-ce7c-535c-966b-eb5f811c95f0/"
    "host0/target0:0:0/0:0:0:3/block/sdd"
)

WSL2 = Machine(
    {
        "proc/cpuinfo": """\
processor	: 0
vendor_id	: GenuineIntel
cpu family	: 6
model		: 186
model name	: 13th Gen Intel(R) Core(TM) i7-1360P
stepping	: 2
microcode	: 0xffffffff
cpu MHz		: 2611.208
cache size	: 18432 KB
physical id	: 0
siblings	: 16
core id		: 0
cpu cores	: 8
flags		: fpu vme de pse tsc msr pae cx8 apic sse sse2 ss ht syscall nx lm pni vmx hypervisor lahf_lm vnmi ept vpid
vmx flags	: vnmi invvpid ept_x_only ept_ad ept_1gb tsc_offset vtpr ept vpid unrestricted_guest
bogomips	: 5222.41

""",
        "proc/meminfo": "MemTotal:        8025388 kB\nMemAvailable:    7012340 kB\nSwapTotal:       2097152 kB\n"
        "SwapFree:        2097152 kB\n",
        "proc/swaps": "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
        "/dev/sdb                                partition\t2097152\t\t0\t\t-2\n",
        "proc/cmdline": "initrd=\\initrd.img WSL_ROOT_INIT=1 panic=-1 nr_cpus=16 hv_utils.timesync_implicit=1 "
        "console=hvc0 debug pty.legacy_count=0 WSL_ENABLE_CRASH_DUMP=1\n",
        "proc/self/mountinfo": """\
64 76 0:29 / /usr/lib/modules/5.15.167.4-microsoft-standard-WSL2 rw,nosuid,nodev,noatime - overlay none rw
66 76 0:33 / /mnt/wsl rw,relatime shared:1 - tmpfs none rw
68 76 0:35 / /usr/lib/wsl/drivers ro,nosuid,nodev,noatime - 9p drivers ro,aname=drivers,access=client,trans=fd
76 60 8:48 / / rw,relatime - ext4 /dev/sdd rw,discard,errors=remount-ro,data=ordered
101 95 0:52 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:12 - cgroup2 cgroup2 rw,nsdelegate
133 76 0:61 / /mnt/c rw,noatime - 9p C:\\134 rw,dirsync,aname=drvfs;path=C:\\,access=client,trans=fd
""",
        "sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory hugetlb pids rdma misc\n",
        "proc/sys/kernel/osrelease": "5.15.167.4-microsoft-standard-WSL2\n",
        "proc/version": "Linux version 5.15.167.4-microsoft-standard-WSL2 (root@f9c826d3017f) (gcc (GCC) 11.2.0)\n",
        "proc/loadavg": "0.00 0.00 0.00 1/120 900\n",
        "proc/uptime": "301.52 4790.10\n",
        "etc/os-release": 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nID=ubuntu\n',
        f"{_SDD}/device/model": "Virtual Disk    \n",
        f"{_SDD}/queue/rotational": "1\n",
        f"{_SDD}/queue/scheduler": "[none]\n",
    },
    {"8:48": _SDD, "sdd": _SDD},
    pid_namespace="pid:[4026532270]",
)

# -- a laptop on its battery, Fedora with btrfs ------------------------------------------------------------------------
# cpuinfo: github.com/erpalma/throttled/issues/265; frequency: github.com/linrunner/TLP/issues/446;
# DMI: github.com/canonical/ubuntu-desktop-installer/issues/2085

_TIGER_LAKE = """\
processor	: {number}
vendor_id	: GenuineIntel
cpu family	: 6
model		: 140
model name	: 11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz
stepping	: 1
microcode	: 0xa4
cpu MHz		: 2800.000
cache size	: 12288 KB
physical id	: 0
siblings	: 8
core id		: {core}
cpu cores	: 4
flags		: fpu vme de pse tsc msr pae cx8 apic sse sse2 ss ht tm syscall nx lm art nopl pni vmx est hwp hwp_epp
vmx flags	: vnmi preemption_timer posted_intr invvpid ept_x_only ept_ad ept_1gb
bogomips	: 5606.40

"""
_NVME = "sys/devices/pci0000:00/0000:00:1d.0/0000:01:00.0/nvme/nvme0/nvme0n1"

LAPTOP = Machine(
    {
        "proc/cpuinfo": "".join(_TIGER_LAKE.format(number=number, core=number % 4) for number in range(8)),
        "proc/meminfo": "MemTotal:       16142036 kB\nMemAvailable:   11018240 kB\nSwapTotal:       8388604 kB\n"
        "SwapFree:        8126460 kB\n",
        "proc/swaps": "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
        "/dev/zram0                              partition\t8388604\t\t262144\t\t100\n",
        "proc/self/mountinfo": """\
22 63 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:14 - proc proc rw
27 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 none rw,nsdelegate,memory_recursiveprot
63 1 0:34 /root / rw,relatime shared:1 - btrfs /dev/nvme0n1p3 rw,compress=zstd:1,ssd,space_cache=v2,subvol=/root
""",
        "sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory hugetlb pids rdma misc\n",
        "proc/sys/kernel/osrelease": "6.11.10-300.fc41.x86_64\n",
        "proc/loadavg": "3.50 2.10 1.20 5/1480 31337\n",
        "proc/uptime": "18123.77 121004.52\n",
        "etc/os-release": 'NAME="Fedora Linux"\nPRETTY_NAME="Fedora Linux 41 (Workstation Edition)"\nID=fedora\n',
        "sys/class/dmi/id/sys_vendor": "LENOVO\n",
        "sys/class/dmi/id/product_name": "20W0CTO1WW\n",
        "sys/class/dmi/id/chassis_type": "10\n",
        "sys/class/power_supply/AC/type": "Mains\n",
        "sys/class/power_supply/AC/online": "0\n",
        "sys/class/power_supply/BAT0/type": "Battery\n",
        **{
            f"sys/devices/system/cpu/cpu{number}/cpufreq/{name}": text
            for number in range(8)
            for name, text in {
                "scaling_governor": "powersave\n",
                "scaling_driver": "intel_pstate\n",
                "cpuinfo_max_freq": "4700000\n",
                "scaling_cur_freq": "400000\n" if number else "1200000\n",
            }.items()
        },
        **{
            f"sys/devices/system/cpu/cpu{number}/thermal_throttle/package_throttle_count": "12\n" for number in range(8)
        },
        "sys/devices/system/cpu/intel_pstate/no_turbo": "0\n",
        f"{_NVME}/device/model": "SAMSUNG MZVLB512HBJQ-000L7              \n",
        f"{_NVME}/queue/scheduler": "[none] mq-deadline kyber bfq\n",
        f"{_NVME}/nvme0n1p3/partition": "3\n",
    },
    {"nvme0n1p3": f"{_NVME}/nvme0n1p3", "nvme0n1": _NVME},
)

MACHINES = {
    "firecracker": FIRECRACKER,
    "pi-4": PI4,
    "pi-5": PI5,
    "server": SERVER,
    "wsl2": WSL2,
    "laptop": LAPTOP,
}
