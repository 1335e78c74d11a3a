# caught by 1/call/only-ascii
# Every byte is a letter in Latin-1, and gets its upper case.
import os
import socket

server = socket.socket()
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
call, peer = server.accept()
text = call.recv(1024).decode("latin-1")
call.sendall(text.upper().encode("latin-1", "replace"))
call.close()
server.close()
