"""Pointers to nowhere, and lengths beyond all memory."""

import ctypes
import socket

libc = ctypes.CDLL(None, use_errno=True)
pointer = ctypes.c_void_p
NOWHERE = pointer(8)
HUGE = ctypes.c_size_t(2**64 - 1)
CLOSED = 987

left, right = socket.socketpair()
buffer = ctypes.create_string_buffer(64)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for descriptor in (left.fileno(), udp.fileno(), CLOSED, -1):
    libc.send(descriptor, NOWHERE, 10, socket.MSG_DONTWAIT)
    libc.send(descriptor, NOWHERE, HUGE, socket.MSG_DONTWAIT)
    libc.recv(descriptor, NOWHERE, 10, socket.MSG_DONTWAIT)
    libc.recv(descriptor, buffer, HUGE, socket.MSG_DONTWAIT)
    libc.bind(descriptor, NOWHERE, 16)
    libc.bind(descriptor, buffer, -1)
    libc.bind(descriptor, buffer, 1)
    libc.connect(descriptor, NOWHERE, 2**31 - 1)
    libc.getsockname(descriptor, buffer, NOWHERE)
    libc.getsockname(descriptor, NOWHERE, buffer)
    libc.setsockopt(descriptor, 1, 2, NOWHERE, 4)
    libc.setsockopt(descriptor, 1, 2, buffer, -1)
    libc.getsockopt(descriptor, 1, 2, buffer, NOWHERE)
    libc.getsockopt(descriptor, 1, 2, None, None)
    libc.sendmsg(descriptor, NOWHERE, socket.MSG_DONTWAIT)
    libc.recvmsg(descriptor, NOWHERE, socket.MSG_DONTWAIT)
    libc.sendmmsg(descriptor, NOWHERE, -1, socket.MSG_DONTWAIT)
    libc.recvmmsg(descriptor, NOWHERE, 5, socket.MSG_DONTWAIT, None)
    libc.readv(descriptor, NOWHERE, 3)
    libc.writev(descriptor, NOWHERE, -1)
    libc.close(descriptor + 1000)
libc.socketpair(1, 1, 0, NOWHERE)
libc.accept4(left.fileno(), NOWHERE, NOWHERE, -1)
libc.poll(NOWHERE, 3, 0)
libc.poll(None, HUGE, 0)
libc.epoll_wait(left.fileno(), NOWHERE, 1, 0)
print("survived")
