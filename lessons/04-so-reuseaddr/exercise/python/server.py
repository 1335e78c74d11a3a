"""Lesson 4, the server: it can be started again at once."""
import os
import socket
import sys

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8082"))

# gap: Make a TCP socket, and set SO_REUSEADDR on it.
# Calls: socket, setsockopt. The option counts in the moment of bind: so set it before.
# Taught in lesson 4, "What you saw and why".
phone = socket.socket()
phone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
# end of gap

# gap: Bind it to HOST and PORT. If that fails, end with status 1 and one line on stderr: that it
# was bind, the address, the reason, and a way out. Do not try again.
# Calls: bind, sys.exit. Lesson 4, "Break it": "Take the port of a server that runs".
try:
    phone.bind((HOST, PORT))
except OSError as error:
    sys.exit('bind %s:%d: %s; see "ss -ltnp", or set PORT' % (HOST, PORT, error))
# end of gap

# gap: Listen, print "listening on IP:PORT", take one call, and answer one message in upper case.
# Calls: listen, getsockname, accept, recv, sendall. You know them from lesson 1.
phone.listen(5)
print("listening on %s:%d" % phone.getsockname(), flush=True)
call, caller = phone.accept()
call.sendall(call.recv(1024).upper())
# end of gap

# gap: Close first: both sockets, as soon as the answer is sent.
# Call: close.
call.close()
phone.close()
# end of gap
