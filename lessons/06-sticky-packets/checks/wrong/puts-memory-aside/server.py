# caught by 6/limits/four-gigabytes
# It makes room for whatever was announced.
import hashlib
import json
import os
import socket
import struct

FOLDER = os.path.realpath(os.environ["FOLDER"])
LIMIT = 65536


class Refused(Exception):
    pass


def exactly(call, count):
    data = b""
    while len(data) < count:
        more = call.recv(count - len(data))
        if not more:
            if data:
                raise ConnectionError("end of stream in a message")
            return None
        data += more
    return data


def send(call, header):
    header = json.dumps(header, ensure_ascii=False)
    header = header.encode()
    call.sendall(struct.pack("!I", len(header)) + header)


def find(name):
    path = os.path.realpath(os.path.join(FOLDER, name))
    if "/" in name or os.path.dirname(path) != FOLDER:
        raise Refused("that leads out of the folder")
    if not os.path.isfile(path):
        raise Refused("no such file")
    return path


def send_file(call, name):
    path = find(name)
    with open(path, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        send(call, {"status": "ok", "name": name, "size": size, "sha256": sha256})
        while piece := file.read(65536):
            call.sendall(piece)


def send_list(call):
    lines = ""
    for name in sorted(os.listdir(FOLDER)):
        try:
            lines += f"{os.path.getsize(find(name))} {name}\n"
        except Refused:
            pass
    body = lines.encode()
    sha256 = hashlib.sha256(body).hexdigest()
    send(call, {"status": "ok", "name": "list", "size": len(body), "sha256": sha256})
    call.sendall(body)


def serve(call):
    while length := exactly(call, 4):
        length = struct.unpack("!I", length)[0]
        room = bytearray(b"x") * length
        if len(room) > LIMIT:
            send(call, {"status": "error", "reason": "the header is too long"})
            return
        header = exactly(call, length) if length else b""
        if header is None:
            raise ConnectionError("end of stream in a message")
        try:
            request = json.loads(header)
            if request["request"] == "list":
                send_list(call)
            elif request["request"] == "get":
                send_file(call, request["name"])
            else:
                raise Refused("no such request")
        except (ValueError, TypeError, KeyError, Refused, FileNotFoundError) as error:
            send(call, {"status": "error", "reason": str(error)})


server = socket.socket()
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
while True:
    call, peer = server.accept()
    with call:
        try:
            serve(call)
        except OSError as error:
            print(error)
