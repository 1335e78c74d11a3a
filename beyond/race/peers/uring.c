/* An io_uring echo server as liburing's own examples build one: accept and
 * receive once asked for, for all (multishot), buffers that the kernel picks
 * from a ring, one thread that submits and waits in one call.
 *   cc -O2 -o uring uring.c -luring && ./uring 8084 */
#include <liburing.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 32768, BUFFERS = 4096, ACCEPT = 1, RECV, SEND };
struct call { int fd; unsigned char closing; int sends; };
static struct io_uring ring;
static struct io_uring_buf_ring *pool;
static char *memory;
static struct call calls[32768];

static unsigned long long tag(int what, int fd, int id) {
    return (unsigned long long)what << 56 | (unsigned long long)id << 32 | (unsigned)fd;
}
static struct io_uring_sqe *sqe(void) {
    struct io_uring_sqe *free = io_uring_get_sqe(&ring);
    if (!free) { io_uring_submit(&ring); free = io_uring_get_sqe(&ring); }
    return free;
}
static void give_back(int id) {
    io_uring_buf_ring_add(pool, memory + (size_t)id * ROOM, ROOM, id, io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(pool, 1);
}
static void receive(int fd) {
    struct io_uring_sqe *s = sqe();
    io_uring_prep_recv_multishot(s, fd, NULL, 0, 0);
    s->flags |= IOSQE_BUFFER_SELECT;
    s->buf_group = 0;
    s->user_data = tag(RECV, fd, 0);
}
static void take_calls(int listener) {
    struct io_uring_sqe *s = sqe();
    io_uring_prep_multishot_accept(s, listener, NULL, NULL, 0);
    s->user_data = tag(ACCEPT, listener, 0);
}

int main(int argc, char **argv) {
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[argc - 1])),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int one = 1, result, listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (void *)&addr, sizeof addr) || listen(listener, 4096)) { perror("bind"); return 1; }
    struct io_uring_params params = { .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                      IORING_SETUP_CQSIZE, .cq_entries = 16384 };
    if ((result = io_uring_queue_init_params(4096, &ring, &params))) {
        fprintf(stderr, "io_uring: %s\n", strerror(-result));
        return 1;
    }
    pool = aligned_alloc(4096, BUFFERS * sizeof(struct io_uring_buf));
    memory = aligned_alloc(4096, (size_t)BUFFERS * ROOM);
    io_uring_buf_ring_init(pool);
    struct io_uring_buf_reg reg = { .ring_addr = (unsigned long)pool, .ring_entries = BUFFERS, .bgid = 0 };
    if ((result = io_uring_register_buf_ring(&ring, &reg, 0))) {
        fprintf(stderr, "buffers: %s\n", strerror(-result));
        return 1;
    }
    for (int id = 0; id < BUFFERS; id++) give_back(id);
    take_calls(listener);
    for (;;) {
        io_uring_submit_and_wait(&ring, 1);
        struct io_uring_cqe *cqe;
        unsigned head, seen = 0;
        io_uring_for_each_cqe(&ring, head, cqe) {
            seen++;
            int what = cqe->user_data >> 56, fd = (int)cqe->user_data, res = cqe->res;
            int id = what == SEND ? (cqe->user_data >> 32) & 0xffff : (int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
            if (what == ACCEPT) {
                if (res >= 0 && res < 32768) { calls[res] = (struct call){ .fd = res }; receive(res); }
                if (!(cqe->flags & IORING_CQE_F_MORE)) take_calls(listener);
            } else if (what == RECV) {
                if (res > 0) {
                    struct io_uring_sqe *s = sqe();
                    io_uring_prep_send(s, fd, memory + (size_t)id * ROOM, res, MSG_NOSIGNAL | MSG_WAITALL);
                    s->user_data = tag(SEND, fd, id);
                    calls[fd].sends++;
                } else if (res != -ENOBUFS) {
                    calls[fd].closing = 1;
                    if (!calls[fd].sends) close(fd);
                    continue;
                }
                if (!(cqe->flags & IORING_CQE_F_MORE)) receive(fd);
            } else {
                give_back(id);
                if (!--calls[fd].sends && calls[fd].closing) close(fd);
            }
        }
        io_uring_cq_advance(&ring, seen);
    }
}
