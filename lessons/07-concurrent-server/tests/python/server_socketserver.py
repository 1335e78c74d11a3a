# A server with socketserver. Usage: server_socketserver.py HOST PORT
import socketserver
import sys


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        while True:
            data = self.request.recv(1024)
            if not data:
                break
            self.request.sendall(data.upper())


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 100


server = Server((sys.argv[1], int(sys.argv[2])), Handler)
print("listening on %s:%d" % server.server_address, flush=True)
server.serve_forever()
