import socket
s = socket.socket()
s.bind(('127.0.0.1', 8081))
s.listen(5)
print('listening on %s:%d' % s.getsockname(), flush=True)
call, _ = s.accept()
try:
    call.sendall(call.recv(1024).upper())
except OSError:
    pass
call.close()
