"""A server that only greets: it sends as soon as it has accepted, and never
receives. A call ends when the next caller takes its place in the variable."""
import socket

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.bind(("127.0.0.1", 0))
listener.listen(10)
print("listening on %s:%d" % listener.getsockname(), flush=True)
while True:
    caller, address = listener.accept()
    caller.send("成功连接服务器!".encode())
