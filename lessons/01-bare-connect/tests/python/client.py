# The client of lesson 1 in Python. Usage: client.py HOST PORT
import socket
import sys

phone = socket.socket()
error = phone.connect_ex((sys.argv[1], int(sys.argv[2])))
if error:
    sys.exit("connect_ex gave %d" % error)
phone.send(b"hello from python")
print(phone.recv(1024).decode())
phone.close()
