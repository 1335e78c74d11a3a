/* An echo server on libuv, the event loop of Node.js.
 *   cc -O2 -o libuv libuv.c -luv && ./libuv 8084
 * One buffer serves all reads: uv_try_write sends it before the next read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static char room[65536];

struct rest { uv_write_t request; char bytes[]; };

static void give(uv_handle_t *handle, size_t size, uv_buf_t *buffer) {
    (void)handle; (void)size;
    *buffer = uv_buf_init(room, sizeof room);
}
static void closed(uv_handle_t *handle) { free(handle); }
static void written(uv_write_t *request, int status) {
    if (status < 0 && !uv_is_closing((uv_handle_t *)request->handle))
        uv_close((uv_handle_t *)request->handle, closed);
    free(request);
}
static void received(uv_stream_t *call, ssize_t length, const uv_buf_t *buffer) {
    if (length == 0) return;
    if (length < 0) { uv_close((uv_handle_t *)call, closed); return; }
    uv_buf_t answer = uv_buf_init(buffer->base, length);
    int sent = uv_try_write(call, &answer, 1);
    if (sent == length) return;
    if (sent < 0) sent = 0;
    struct rest *rest = malloc(sizeof *rest + length - sent);
    memcpy(rest->bytes, buffer->base + sent, length - sent);
    answer = uv_buf_init(rest->bytes, length - sent);
    uv_write(&rest->request, call, &answer, 1, written);
}
static void called(uv_stream_t *listener, int status) {
    if (status < 0) return;
    uv_tcp_t *call = malloc(sizeof *call);
    uv_tcp_init(listener->loop, call);
    if (uv_accept(listener, (uv_stream_t *)call)) uv_close((uv_handle_t *)call, closed);
    else uv_read_start((uv_stream_t *)call, give, received);
}

int main(int argc, char **argv) {
    struct sockaddr_in addr;
    uv_tcp_t listener;
    uv_ip4_addr("127.0.0.1", atoi(argv[argc - 1]), &addr);
    uv_tcp_init(uv_default_loop(), &listener);
    uv_tcp_bind(&listener, (struct sockaddr *)&addr, 0);
    int error = uv_listen((uv_stream_t *)&listener, 4096, called);
    if (error) { fprintf(stderr, "listen: %s\n", uv_strerror(error)); return 1; }
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
