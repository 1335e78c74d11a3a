import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('127.0.0.1', 7788))
print('bound to %s:%d' % s.getsockname(), flush=True)
message = b''
while message != b'bye':
    message, peer = s.recvfrom(65535)
    if message != b'bye':
        s.sendto(message, peer)
