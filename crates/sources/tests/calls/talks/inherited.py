"""Descriptors that are sockets, whatever their numbers: dup, exec, sendfile."""

import os
import socket
import tempfile

left, right = socket.socketpair()
if os.fork() == 0:
    left.close()
    os.dup2(right.fileno(), 0)
    os.dup2(right.fileno(), 1)
    right.close()
    os.execvp("cat", ["cat"])
right.close()
again = left.dup()
left.send(b"through cat")
left.recv(1024)
again.shutdown(socket.SHUT_WR)
again.recv(1024)
again.close()
left.close()
os.wait()
left, right = socket.socketpair()
with tempfile.TemporaryFile() as file:
    file.write(b"from a file")
    file.flush()
    os.sendfile(left.fileno(), file.fileno(), 0, 100)
os.readv(right.fileno(), [bytearray(4), bytearray(100)])
os.writev(right.fileno(), [b"in two ", b"parts"])
os.read(left.fileno(), 100)
os.write(left.fileno(), b"bye")
