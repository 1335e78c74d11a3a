/* The plain epoll echo server: level triggered, one thread, one buffer.
 *   cc -O2 -o epoll epoll.c && ./epoll 8084
 * Judged against it: the lesson's event-loop (at most 1.0 x its CPU time).
 * What the kernel does not take at once waits in the connection's `rest`. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 65536 };
struct call { int fd; char *rest; size_t length, sent; };

static int epoll;
static char buffer[ROOM];

static void watch(struct call *call, unsigned events) {
    struct epoll_event event = { .events = events, .data.ptr = call };
    epoll_ctl(epoll, EPOLL_CTL_MOD, call->fd, &event);
}

static void hang_up(struct call *call) {
    close(call->fd);
    free(call->rest);
    free(call);
}

static void readable(struct call *call) {
    ssize_t length = recv(call->fd, buffer, ROOM, 0);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (length <= 0) { hang_up(call); return; }
    ssize_t sent = send(call->fd, buffer, length, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) { hang_up(call); return; }
    if (sent < 0) sent = 0;
    if (sent == length) return;
    call->length = length - sent;                /* backpressure: read no more */
    call->sent = 0;
    call->rest = malloc(call->length);
    memcpy(call->rest, buffer + sent, call->length);
    watch(call, EPOLLOUT);
}

static void writable(struct call *call) {
    ssize_t sent = send(call->fd, call->rest + call->sent, call->length - call->sent, MSG_NOSIGNAL);
    if (sent < 0) { if (errno != EAGAIN) hang_up(call); return; }
    call->sent += sent;
    if (call->sent < call->length) return;
    free(call->rest);
    call->rest = NULL;
    watch(call, EPOLLIN);
}

int main(int argc, char **argv) {
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[argc - 1])),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (void *)&addr, sizeof addr) || listen(listener, 4096)) { perror("bind"); return 1; }
    epoll = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL }, events[512];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int ready = epoll_wait(epoll, events, 512, -1);
        for (int i = 0; i < ready; i++) {
            struct call *call = events[i].data.ptr;
            if (call) {
                if (events[i].events & EPOLLOUT) writable(call); else readable(call);
                continue;
            }
            int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
            if (fd < 0) continue;
            call = calloc(1, sizeof *call);
            call->fd = fd;
            event = (struct epoll_event){ .events = EPOLLIN, .data.ptr = call };
            epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
        }
    }
}
