"""Lesson 1, the server: one call, from buying the phone to switching it off."""
import os
import socket

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8081"))

# gap: Buy a phone, put in the SIM, switch it on: a TCP socket that listens at HOST and PORT.
# Calls: socket, bind, listen. Taught in lesson 1, "What is new": the telephone table.
phone = socket.socket()
phone.bind((HOST, PORT))
phone.listen(5)
# end of gap

# gap: Print "listening on IP:PORT" with the port that the kernel gave, also when PORT is 0.
# Calls: getsockname, print. Into a pipe, print keeps lines back unless you tell it to flush.
print("listening on %s:%d" % phone.getsockname(), flush=True)
# end of gap

# gap: Wait for a caller, and take the call: you get a second socket for it.
# Call: accept. Taught in lesson 1, "What you saw and why".
call, caller = phone.accept()
# end of gap

# gap: Receive once, at most 1,024 bytes, and send them back with a to z in upper case.
# Calls: recv, send. All other bytes stay as they are, so never make text of them.
call.sendall(call.recv(1024).upper())
# end of gap

# gap: Hang up, then switch off: close both sockets.
# Call: close.
call.close()
phone.close()
# end of gap
