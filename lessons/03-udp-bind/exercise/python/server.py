"""Lesson 3, the server: each datagram goes back to its sender."""
import os
import socket

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "7788"))

# gap: A UDP socket that is bound to HOST and PORT, and the line "bound to IP:PORT".
# Calls: socket with SOCK_DGRAM, bind, getsockname. Taught in lesson 3, "What is new".
post = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
post.bind((HOST, PORT))
print("bound to %s:%d" % post.getsockname(), flush=True)
# end of gap

while True:
    try:
        # gap: Receive a datagram of any length; send it back, unless it is bye: that is the end.
        # Calls: recvfrom, sendto. 0 bytes are a datagram, too. Lesson 3, "What you saw and why".
        data, sender = post.recvfrom(65535)
        if data == b"bye":
            break
        post.sendto(data, sender)
        # end of gap
    except OSError as error:
        print("one datagram was lost:", error, flush=True)
post.close()
