import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(('127.0.0.1', 7788))
for line in sys.stdin.buffer:
    end = time.monotonic() + 2
    s.send(line.rstrip(b'\n'))
    s.settimeout(max(0.01, end - time.monotonic()))
    try:
        data = s.recv(65535)
    except OSError as error:
        sys.exit(str(error))
    print(len(data), data[:100])
