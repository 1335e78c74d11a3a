/* After a call that was changed, registers and memory are as the program left
   them. Ends with 0 if so; else with the line of what was not. */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MUST(fact) do { if (!(fact)) _exit(__LINE__ & 0xff ? __LINE__ & 0xff : 1); } while (0)

static char first[3], second[5];
/* In memory that the program itself cannot write. */
static const struct iovec BUFFERS[2] = {{first, 3}, {second, 5}};

/* recvfrom(fd, first, 3, 0, 0, 0) as one instruction: what it returned, and all
   six arguments as they are after it. */
static long receive(int fd, long after[6])
{
#if defined(__x86_64__)
    register long r10 __asm__("r10") = 0, r8 __asm__("r8") = 0, r9 __asm__("r9") = 0;
    long result = SYS_recvfrom, a = fd, b = (long)first, c = 3;
    __asm__ volatile("syscall"
                     : "+a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8), "+r"(r9)
                     :
                     : "rcx", "r11", "memory");
    long all[6] = {a, b, c, r10, r8, r9};
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = SYS_recvfrom;
    register long a __asm__("x0") = fd, b __asm__("x1") = (long)first, c __asm__("x2") = 3;
    register long d __asm__("x3") = 0, e __asm__("x4") = 0, f __asm__("x5") = 0;
    __asm__ volatile("svc 0"
                     : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f)
                     : "r"(x8)
                     : "memory");
    long result = a, all[6] = {fd, b, c, d, e, f};
#endif
    memcpy(after, all, sizeof all);
    return result;
}

static void untouched(int fd, const long after[6])
{
    const long before[6] = {fd, (long)first, 3, 0, 0, 0};
    for (int index = 0; index < 6; index++)
        MUST(after[index] == before[index]);
}

int main(int count, char **args)
{
    int fd = 0; /* the test's end of a connection */
    long after[6];
    if (count > 1 && !strcmp(args[1], "fails")) {
        MUST(receive(fd, after) == -ECONNRESET);
        untouched(fd, after);
        MUST(receive(fd, after) == 3);
        untouched(fd, after);
        return 0;
    }
    MUST(receive(fd, after) == 1);
    untouched(fd, after);
    for (int turn = 0; turn < 2; turn++) {
        MUST(readv(fd, BUFFERS, 2) == 1);
        MUST(BUFFERS[0].iov_len == 3 && BUFFERS[1].iov_len == 5);
        struct msghdr message = {.msg_iov = (struct iovec *)BUFFERS, .msg_iovlen = 2};
        MUST(recvmsg(fd, &message, 0) == 1);
        MUST(message.msg_iov == BUFFERS && message.msg_iovlen == 2);
        MUST(BUFFERS[0].iov_len == 3 && BUFFERS[1].iov_len == 5);
    }
    return 0;
}
