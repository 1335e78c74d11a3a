# caught by 7/callers/never-receives
# It goes on to receive, and keeps the answers in memory.
import os
import selectors
import socket


class Call:
    def __init__(self, socket):
        self.socket = socket
        self.out = bytearray()


def receive(call):
    data = call.socket.recv(65536)
    call.out += data.upper()
    return data != b""


def send(call):
    del call.out[: call.socket.send(call.out[:65536])]


def serve(call, events):
    try:
        if events & selectors.EVENT_READ and not receive(call):
            selector.unregister(call.socket)
            return call.socket.close()
        if call.out:
            send(call)
    except BlockingIOError:
        pass
    except OSError as error:
        print(error)
        selector.unregister(call.socket)
        return call.socket.close()
    wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if call.out else 0)
    selector.modify(call.socket, wanted, call)


selector = selectors.DefaultSelector()
server = socket.socket()
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
server.listen(512)
server.setblocking(False)
print("listening on %s:%d" % server.getsockname(), flush=True)
selector.register(server, selectors.EVENT_READ)
while True:
    for key, events in selector.select():
        if key.data:
            serve(key.data, events)
            continue
        try:
            accepted, peer = server.accept()
        except OSError as error:
            print(error)
            continue
        accepted.setblocking(False)
        selector.register(accepted, selectors.EVENT_READ, Call(accepted))
