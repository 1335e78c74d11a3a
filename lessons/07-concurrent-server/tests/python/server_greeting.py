# A server that speaks first. Usage: server_greeting.py HOST PORT
import socket
import sys

phone = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
phone.bind((sys.argv[1], int(sys.argv[2])))
phone.listen(5)
print("listening on %s:%d" % phone.getsockname(), flush=True)
call, caller = phone.accept()
call.send("成功连接服务器!".encode())
while True:
    data = call.recv(1024)
    if not data:
        break
    call.send(data.upper())
call.close()
