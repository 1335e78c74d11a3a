# A client in the style of the tutorials. Usage: client.py HOST PORT
import socket
import sys

phone = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
phone.connect((sys.argv[1], int(sys.argv[2])))
while True:
    message = input().strip()
    if not message:
        continue
    if message == "quit":
        break
    phone.send(message.encode("utf-8"))
    print(phone.recv(1024).decode("utf-8"), flush=True)
phone.close()
