"""A client that thinks before it speaks, as the tutorials write it.

python3 client.py HOST PORT SECONDS WORD
"""

import socket
import sys
import time

host, port, seconds, word = sys.argv[1:]
caller = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
caller.connect((host, int(port)))
time.sleep(float(seconds))
caller.send(word.encode())
print(caller.recv(1024), flush=True)
caller.close()
