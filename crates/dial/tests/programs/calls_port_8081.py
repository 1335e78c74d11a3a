import socket, sys
try:
    s = socket.create_connection(('127.0.0.1', 8081))
    s.sendall(b'hello')
    answer = s.recv(1024)
except OSError as error:
    sys.exit(str(error))
print(answer) if answer else sys.exit('no answer')
