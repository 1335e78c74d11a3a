"""A client as tutorials write it: input, send, one receive, print, again."""
import socket
import sys

host, port = sys.argv[1].rsplit(":", 1)
phone = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
phone.connect((host, int(port)))
while True:
    try:
        message = input()
    except EOFError:
        break
    if not message:
        continue
    phone.send(message.encode("utf-8"))
    print(phone.recv(1024).decode("utf-8"))
phone.close()
