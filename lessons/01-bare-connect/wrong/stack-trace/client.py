# caught by 1/client/refused
# Nobody catches the error of connect.
import os
import socket

client = socket.socket()
client.connect((os.environ["HOST"], int(os.environ["PORT"])))
client.sendall(b"hello")
print(client.recv(1024))
client.close()
