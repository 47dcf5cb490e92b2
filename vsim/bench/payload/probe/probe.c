/* The probe: the same tiny program on every rung, as a process, in a container, as the init of a virtual machine.
 *
 * It writes `vsim 1` before anything else, then does what its arguments say, in their order, then says `ready` and
 * waits for SIGTERM (or a `q` on its terminal). It never says what time it is: the harness times each line as it
 * arrives, on the host's clock. Work is bracketed by `begin X` and `end X NS`, NS being how long it took in nanoseconds
 * by the monotonic clock that is seen here: a duration, which means the same in a guest as on the host.
 *
 *   touch=BYTES         write to every page of as much memory, and keep it
 *   cpu=user:N          N steps of arithmetic    cpu=call:N  N system calls    cpu=fault:N  N page faults
 *   http=PORT           answer HTTP requests; spin=N before it: N steps of arithmetic for each
 *                       body=N before it: N bytes in each answer
 *   echo=PORT sink=PORT send back, or swallow, what comes
 *   lo                  raise the loopback interface, where that is allowed and necessary
 *   aside               serve in a process of its own what was asked for so far, and go on
 *   ping=ADDRESS:PORT:N N round trips of one byte to an echo      send=ADDRESS:PORT:N  N bytes to a sink
 *   get=ADDRESS:PORT:N  N HTTP requests, one after another, on one connection
 *   pass=SIDE:N:BYTES:DIRECTORY  pass N messages from side 0 to side 1 through a file, each answered through another
 *   run PROGRAM ARGS…   run another program, say `exit CODE` (takes all that follows)
 *   exit                end instead of waiting
 *   end                 ignore what follows: user-mode-linux appends words of its own
 * As the init of a virtual machine, first: tty=DEVICE (where to talk), module=FILE, ip=INTERFACE:ADDRESS:BITS,
 * off=restart (end by a reset instead of powering off).
 * As a launcher: enter=FILE (write 0 to it: join a cgroup), mount-ns=FILE (join it), new-net (a network namespace with
 * a loopback interface and nothing else), no-new-privs, then exec PROGRAM ARGS…
 */
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>

#define SIGTERM_ 15
#define SIGINT_ 2
#define MOST_LISTENERS 16
#define MOST_CONNECTIONS 512
#define CHUNK 65536

static char **environment;
static int is_machine;        /* the init of a virtual machine, not of a container */
static word power_command = LINUX_REBOOT_CMD_POWER_OFF;
static int is_aside;         /* the process that serves beside the one that works */
static word spin;
static int listeners[MOST_LISTENERS];
static char roles[MOST_LISTENERS]; /* H E K: listeners; h e k: their connections; s: signals, t: terminal */
static int listening;
static int connected;
static int queue; /* of what has become readable, in the order in which it did */
static char buffer[CHUNK];
static volatile word sum;

static void leave(int code) {
    if (is_machine && !is_aside) {
        call0(SYS_sync);
        call4(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, power_command, 0);
    }
    for (;;) call1(SYS_exit_group, code);
}

static void fail(const char *what, long error) {
    char digits[24];
    char line[160];
    size_t n = length(what) < 100 ? length(what) : 100;
    memcpy(line, what, n);
    line[n++] = ' ';
    const char *code = decimal(-error, digits);
    memcpy(line + n, code, length(code) + 1);
    say("error", line);
    leave(1);
}

/* -- work and how long it takes ---------------------------------------------------------------------------------- */

static word begun;

static word now(void) {
    struct timespec at;
    call2(SYS_clock_gettime, CLOCK_MONOTONIC, &at);
    return (word)at.tv_sec * 1000000000u + (word)at.tv_nsec;
}

static void begin_work(const char *name) {
    say("begin", name);
    begun = now();
}

static void end_work(const char *name) {
    word took = now() - begun;
    char digits[24];
    char line[64] = "end ";
    memcpy(line + 4, name, length(name) + 1);
    say(line, decimal((long)took, digits));
}

/* -- memory and CPU ------------------------------------------------------------------------------------------- */

static char *pages(word size) {
    long at = call6(SYS_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (word)-1, 0);
    if (at < 0 && at > -4096) fail("mmap", at);
    return (char *)at;
}

static void touch(word size) {
    if (!size) return;
    char *memory = pages(size);
    /* Every page differs, so that no kernel can merge them. */
    for (word at = 0; at < size; at += 4096) *(word *)(memory + at) = at * 2654435761u + (word)memory;
}

static void arithmetic(word steps) {
    word x = 88172645463325252u;
    while (steps--) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    sum += x;
}

static void faults(word count) {
    const word batch = 1024;
    while (count) {
        word n = count < batch ? count : batch;
        char *memory = pages(n * 4096);
        /* One fault for each small page, also where the system would give huge ones. */
        call3(SYS_madvise, memory, n * 4096, MADV_NOHUGEPAGE);
        for (word at = 0; at < n; at++) memory[at * 4096] = 1;
        call2(SYS_munmap, memory, n * 4096);
        count -= n;
    }
}

static void cpu(const char *work) {
    const char *rest;
    const char *name;
    word count;
    if ((rest = after(work, "user:"))) name = "user";
    else if ((rest = after(work, "call:"))) name = "call";
    else if ((rest = after(work, "fault:"))) name = "fault";
    else fail(work, -EINVAL);
    count = number(&rest);
    begin_work(name);
    if (name[0] == 'u') arithmetic(count);
    else if (name[0] == 'c') while (count--) call0(SYS_getppid);
    else faults(count);
    end_work(name);
}

/* -- network ---------------------------------------------------------------------------------------------------- */

static word address(const char **text) {
    word value = 0;
    for (int part = 0; part < 4; part++) {
        value = (value << 8) | (number(text) & 255);
    }
    return value;
}

static int tcp(void) {
    int one = 1;
    long fd = call3(SYS_socket, AF_INET, 1 /* SOCK_STREAM */ | 02000000 /* SOCK_CLOEXEC */, 0);
    if (fd < 0) fail("socket", fd);
    call5(SYS_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    call5(SYS_setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return (int)fd;
}

static struct sockaddr_in place(word host, word port) {
    struct sockaddr_in at;
    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET;
    at.sin_port = (in_port_t)((port >> 8) | (port << 8));
    at.sin_addr.s_addr = __builtin_bswap32((unsigned)host);
    return at;
}

/* A connection that carries requests is queued when one arrives and never again for the same one: whoever still has
 * something to be read would otherwise go back to the end of the queue, before those that come later. */
static void watch(int fd, char role) {
    struct epoll_event event;
    memset(&event, 0, sizeof event);
    event.events = role == 'h' ? EPOLLIN | EPOLLRDHUP | EPOLLET : EPOLLIN;
    event.data.u64 = (word)fd << 8 | (word)role;
    call4(SYS_epoll_ctl, queue, EPOLL_CTL_ADD, fd, &event);
}

static void serve(const char *port, char role) {
    int fd = tcp();
    struct sockaddr_in at = place(0, number(&port));
    long error = call3(SYS_bind, fd, &at, sizeof at);
    if (error < 0) fail("bind", error);
    if ((error = call2(SYS_listen, fd, 512)) < 0) fail("listen", error);
    if (listening == MOST_LISTENERS) fail("listen", -EMFILE);
    listeners[listening] = fd;
    roles[listening++] = role;
}

static int reach(const char **where, word *count) {
    word host = address(where);
    word port = number(where);
    *count = number(where);
    int fd = tcp();
    struct sockaddr_in at = place(host, port);
    long error = call3(SYS_connect, fd, &at, sizeof at);
    if (error < 0) fail("connect", error);
    return fd;
}

/* Reads or writes (`n` is the number of the call), again when the socket wasn't ready: gVisor, when it hands the host's
 * sockets on, says so of blocking ones too. */
static long moved(long n, int fd, char *data, word size) {
    for (;;) {
        long done = call3(n, fd, data, size);
        if (done != -EAGAIN && done != -EINTR) return done;
        struct pollfd one = {.fd = fd, .events = n == SYS_read ? POLLIN : POLLOUT};
        call5(SYS_ppoll, &one, 1, NULL, NULL, 8);
    }
}

static void ping(const char *where) {
    word count;
    int fd = reach(&where, &count);
    char byte = 'x';
    begin_work("ping");
    while (count--) {
        write_all(fd, &byte, 1);
        long n = moved(SYS_read, fd, &byte, 1);
        if (n != 1) fail("ping", n < 0 ? n : -EPIPE);
    }
    end_work("ping");
    call1(SYS_close, fd);
}

static void transmit(const char *where) {
    word count;
    int fd = reach(&where, &count);
    char byte;
    begin_work("send");
    while (count) {
        word n = count < CHUNK ? count : CHUNK;
        long sent = moved(SYS_write, fd, buffer, n);
        if (sent <= 0) fail("send", sent);
        count -= (word)sent;
    }
    /* The sink closes when it has seen our end: only then has everything arrived. */
    call2(SYS_shutdown, fd, 1 /* SHUT_WR */);
    while (moved(SYS_read, fd, &byte, 1) > 0) {}
    end_work("send");
    call1(SYS_close, fd);
}

static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n";
static const char *answer = ok;
static size_t answer_size = sizeof ok - 1;

static void set_body(word size) {
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ";
    char digits[24];
    const char *number_of = decimal((long)size, digits);
    size_t n = sizeof head - 1, more = length(number_of);
    char *text = pages(n + more + 4 + size);
    memcpy(text, head, n);
    memcpy(text + n, number_of, more);
    memcpy(text + n + more, "\r\n\r\n", 4);
    memset(text + n + more + 4, 'x', size);
    answer = text;
    answer_size = n + more + 4 + size;
}

static void get(const char *where) {
    static const char request[] = "GET / HTTP/1.1\r\nHost: vsim\r\n\r\n";
    word count;
    int fd = reach(&where, &count);
    begin_work("get");
    while (count--) {
        word have = 0, need = 0;
        write_all(fd, request, sizeof request - 1);
        while (!need || have < need) {
            long n = moved(SYS_read, fd, buffer + have, CHUNK - have);
            if (n <= 0) fail("get", n < 0 ? n : -EPIPE);
            have += (word)n;
            for (word at = 3; !need && at < have; at++) {
                const char *end = buffer + at - 3;
                if (end[0] != '\r' || end[1] != '\n' || end[2] != '\r' || end[3] != '\n') continue;
                need = at + 1;
                /* The only header that matters here, wherever it stands. */
                for (word key = 0; key + 16 < at; key++) {
                    const char *value = after(buffer + key, "Content-Length: ");
                    if (value) need += number(&value);
                }
                if (need > CHUNK) fail("get", -EMSGSIZE);
            }
        }
    }
    end_work("get");
    call1(SYS_close, fd);
}

/* Serves one readable connection; returns 0 when it is over. */
static int attend(int fd, char role) {
    long n = call3(SYS_read, fd, buffer, CHUNK);
    if (n == -EAGAIN || n == -EINTR) return 1;
    if (n <= 0) return 0;
    if (role == 'e') write_all(fd, buffer, (size_t)n);
    /* A request without a body, in one segment: all that the harness sends. */
    if (role == 'h' && n >= 4 && buffer[n - 1] == '\n' && buffer[n - 3] == '\n') {
        if (spin) arithmetic(spin);
        write_all(fd, answer, answer_size);
    }
    return 1;
}

/* Takes a connection in, or closes it where there are too many. */
static void admit(int listener, char role) {
    int one = 1;
    long client = call4(SYS_accept4, listener, NULL, NULL, 02000000 /* SOCK_CLOEXEC */);
    if (client < 0) return;
    if (connected == MOST_CONNECTIONS) {
        call1(SYS_close, client);
        return;
    }
    connected++;
    call5(SYS_setsockopt, client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    watch((int)client, role == 'H' ? 'h' : role == 'E' ? 'e' : 'k');
}

/* Waits for the end, serving whatever was asked for: one request at a time, first come, first served. Each costs the
 * same three system calls, however many wait and however many connections there are. */
static void wait_and_serve(void) {
    word mask = (1ul << (SIGTERM_ - 1)) | (1ul << (SIGINT_ - 1));
    call4(SYS_rt_sigprocmask, 0 /* SIG_BLOCK */, &mask, NULL, 8);
    long fd = call4(SYS_signalfd4, -1, &mask, 8, SFD_CLOEXEC);
    if (fd < 0) fail("signalfd", fd);
    long made = call1(SYS_epoll_create1, EPOLL_CLOEXEC);
    if (made < 0) fail("epoll", made);
    queue = (int)made;
    watch((int)fd, 's');
    if (is_machine && !is_aside) watch(0, 't');
    for (int i = 0; i < listening; i++) watch(listeners[i], roles[i]);
    if (!is_aside) say("ready", "");
    for (;;) {
        struct epoll_event event;
        if (call6(SYS_epoll_pwait, queue, (word)&event, 1, (word)-1, 0, 8) != 1) continue;
        char role = (char)(event.data.u64 & 255);
        int from = (int)(event.data.u64 >> 8);
        if (role == 's') leave(0);
        if (role == 't') {
            if (call3(SYS_read, from, buffer, 64) <= 0) call4(SYS_epoll_ctl, queue, EPOLL_CTL_DEL, from, &event);
            else if (buffer[0] == 'q') leave(0);
            continue;
        }
        if (role < 'a') {
            admit(from, role);
            continue;
        }
        int over = !attend(from, role);
        /* It may have closed right after its last request: no other event says so then. */
        if (role == 'h' && (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))) over = 1;
        if (over) {
            call1(SYS_close, from);
            connected--;
        }
    }
}

/* Leaves the serving to a process of its own, which ends with this one. */
static void serve_aside(void) {
    long child = call5(SYS_clone, 17 /* SIGCHLD */, 0, 0, 0, 0);
    if (child < 0) fail("clone", child);
    if (child == 0) {
        call2(SYS_prctl, PR_SET_PDEATHSIG, 9 /* SIGKILL */);
        is_aside = 1;
        wait_and_serve();
    }
    while (listening) call1(SYS_close, listeners[--listening]);
}

/* -- messages through files ---------------------------------------------------------------------------------------- */

static int open_in(const char *directory, const char *name) {
    char path[256];
    size_t n = length(directory) < 200 ? length(directory) : 200;
    memcpy(path, directory, n);
    path[n++] = '/';
    memcpy(path + n, name, length(name) + 1);
    long fd = call4(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) fail(path, fd);
    return (int)fd;
}

static void put(int fd, word sequence, word size) {
    *(word *)buffer = sequence;
    long n = call4(SYS_pwrite64, fd, buffer, size, 0);
    if (n != (long)size) fail("pwrite", n < 0 ? n : -EIO);
}

/* Looks at the file until the message is there: without a pause, or the pause would be what is measured. */
static void take(int fd, word sequence, word size) {
    for (;;) {
        long n = call4(SYS_pread64, fd, buffer, size, 0);
        if (n < 0) fail("pread", n);
        if (n == (long)size && *(word *)buffer == sequence) return;
        call0(SYS_sched_yield);
    }
}

static void pass(const char *what) {
    word side = number(&what);
    word count = number(&what);
    word size = number(&what);
    if (size < 8) size = 8;
    if (size > CHUNK) fail("pass", -EMSGSIZE);
    int there = open_in(what, "there");
    int back = open_in(what, "back");
    /* The first message finds out that the other side runs; the clock starts after it. */
    for (word i = 1; i <= count + 1; i++) {
        if (i == 2) begin_work("pass");
        if (side == 0) {
            put(there, i, size);
            take(back, i, 8);
        } else {
            take(there, i, size);
            put(back, i, 8);
        }
    }
    end_work("pass");
    call1(SYS_close, there);
    call1(SYS_close, back);
}

/* -- the init of a virtual machine ------------------------------------------------------------------------------- */

static void open_terminal(const char *path) {
    is_machine = 1;
    long fd = call4(SYS_openat, AT_FDCWD, path, O_RDWR | O_NOCTTY, 0);
    if (fd < 0) leave(1);
    for (int i = 0; i < 3; i++)
        if (fd != i) call3(SYS_dup3, fd, i, 0);
    if (fd > 2) call1(SYS_close, fd);
}

static void mount_all(void) {
    call5(SYS_mount, "dev", "/dev", "devtmpfs", 0, NULL);
    call5(SYS_mount, "proc", "/proc", "proc", 0, NULL);
    call5(SYS_mount, "sys", "/sys", "sysfs", 0, NULL);
    call5(SYS_mount, "tmp", "/tmp", "tmpfs", 0, NULL);
}

static void load_module(const char *path) {
    long fd = call4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) fail(path, fd);
    long error = call3(SYS_finit_module, fd, "", 0);
    if (error < 0 && error != -EEXIST) fail(path, error);
    call1(SYS_close, fd);
}

static void raise_interface(int fd, struct ifreq *request) {
    call3(SYS_ioctl, fd, SIOCGIFFLAGS, request);
    request->ifr_flags |= IFF_UP;
    long error = call3(SYS_ioctl, fd, SIOCSIFFLAGS, request);
    if (error < 0) fail("interface", error);
}

/* In a container it is up already, and who has no privileges can't look after it. */
static void raise_loopback(int must) {
    struct ifreq request;
    int fd = tcp();
    memset(&request, 0, sizeof request);
    memcpy(request.ifr_name, "lo", 3);
    if (must) raise_interface(fd, &request);
    else {
        call3(SYS_ioctl, fd, SIOCGIFFLAGS, &request);
        request.ifr_flags |= IFF_UP;
        call3(SYS_ioctl, fd, SIOCSIFFLAGS, &request);
    }
    call1(SYS_close, fd);
}

static void set_address(const char *text) {
    struct ifreq request;
    int fd = tcp();
    raise_loopback(1);
    memset(&request, 0, sizeof request);
    for (int i = 0; *text && *text != ':' && i < IFNAMSIZ - 1; i++) request.ifr_name[i] = *text++;
    if (*text) text++;
    struct sockaddr_in own = place(address(&text), 0);
    word bits = number(&text);
    struct sockaddr_in mask = place(bits ? 0xffffffffu << (32 - bits) : 0, 0);
    long error;
    memcpy(&request.ifr_addr, &own, sizeof own);
    if ((error = call3(SYS_ioctl, fd, SIOCSIFADDR, &request)) < 0) fail("address", error);
    memcpy(&request.ifr_netmask, &mask, sizeof mask);
    if ((error = call3(SYS_ioctl, fd, SIOCSIFNETMASK, &request)) < 0) fail("netmask", error);
    raise_interface(fd, &request);
    call1(SYS_close, fd);
}

/* -- other programs ---------------------------------------------------------------------------------------------- */

static void replace(char **arguments) {
    long error = call3(SYS_execve, arguments[0], arguments, environment);
    fail(arguments[0], error);
}

static void run(char **arguments) {
    char digits[24];
    int status = 0;
    /* before there is a child: it may be done before this process goes on */
    begin_work("run");
    /* 17: SIGCHLD */
    long child = call5(SYS_clone, 17, 0, 0, 0, 0);
    if (child < 0) fail("clone", child);
    if (child == 0) {
        call3(SYS_execve, arguments[0], arguments, environment);
        say("error", arguments[0]);
        for (;;) call1(SYS_exit_group, 127);
    }
    for (;;) {
        long pid = call4(SYS_wait4, -1, &status, 0, NULL);
        if (pid == child) break;
        if (pid < 0 && pid != -EINTR) fail("wait", pid);
    }
    end_work("run");
    say("exit", decimal(status & 127 ? 128 + (status & 127) : (status >> 8) & 255, digits));
    leave(status ? 1 : 0);
}

static void join_cgroup(const char *path) {
    long fd = call4(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
    if (fd < 0) fail(path, fd);
    long error = call3(SYS_write, fd, "0", 1);
    if (error < 0) fail(path, error);
    call1(SYS_close, fd);
}

static void join_mounts(const char *path) {
    long fd = call4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) fail(path, fd);
    long error = call2(SYS_setns, fd, CLONE_NEWNS);
    if (error < 0) fail(path, error);
    call1(SYS_close, fd);
}

static void new_network(void) {
    long error = call1(SYS_unshare, CLONE_NEWNET);
    if (error < 0) fail("network namespace", error);
    raise_loopback(1);
}

__attribute__((used, noreturn)) void begin(word *stack) {
    int count = (int)stack[0];
    char **arguments = (char **)(stack + 1);
    const char *rest;
    environment = arguments + count + 1;

    /* A launcher says nothing: it becomes the program that it launches. */
    int first = 1;
    for (; first < count; first++) {
        if ((rest = after(arguments[first], "enter="))) join_cgroup(rest);
        else if ((rest = after(arguments[first], "mount-ns="))) join_mounts(rest);
        else if (same(arguments[first], "new-net")) new_network();
        else if (same(arguments[first], "no-new-privs")) call5(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        else if (same(arguments[first], "exec") && first + 1 < count) replace(arguments + first + 1);
        else break;
    }
    if (first < count && (rest = after(arguments[first], "tty="))) {
        open_terminal(rest);
        first++;
    }
    say("vsim", "1");
    if (is_machine) mount_all();
    for (int i = first; i < count; i++) {
        const char *argument = arguments[i];
        if ((rest = after(argument, "touch="))) touch(number(&rest));
        else if ((rest = after(argument, "cpu="))) cpu(rest);
        else if ((rest = after(argument, "spin="))) spin = number(&rest);
        else if ((rest = after(argument, "http="))) serve(rest, 'H');
        else if ((rest = after(argument, "echo="))) serve(rest, 'E');
        else if ((rest = after(argument, "sink="))) serve(rest, 'K');
        else if ((rest = after(argument, "ping="))) ping(rest);
        else if ((rest = after(argument, "send="))) transmit(rest);
        else if ((rest = after(argument, "get="))) get(rest);
        else if ((rest = after(argument, "body="))) set_body(number(&rest));
        else if ((rest = after(argument, "pass="))) pass(rest);
        else if (same(argument, "lo")) raise_loopback(0);
        else if (same(argument, "aside")) serve_aside();
        else if ((rest = after(argument, "module="))) load_module(rest);
        else if ((rest = after(argument, "ip="))) set_address(rest);
        else if (same(argument, "off=restart")) power_command = LINUX_REBOOT_CMD_RESTART;
        else if (same(argument, "end")) break;
        else if (same(argument, "run") && i + 1 < count) run(arguments + i + 1);
        else if (same(argument, "exit")) {
            say("ready", "");
            leave(0);
        } else fail(argument, -EINVAL);
    }
    wait_and_serve();
    leave(0);
    __builtin_unreachable();
}
