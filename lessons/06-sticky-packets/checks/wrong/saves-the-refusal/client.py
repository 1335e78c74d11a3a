# caught by 6/client/refusal
# It takes every answer for a file.
import hashlib
import json
import os
import socket
import struct
import sys

FOLDER = os.environ["FOLDER"]
LIMIT = 65536


def exactly(call, count):
    data = b""
    while len(data) < count:
        more = call.recv(count - len(data))
        if not more:
            sys.exit("end of stream in the middle of an answer")
        data += more
    return data


def ask(call, request):
    header = json.dumps(request).encode()
    call.sendall(struct.pack("!I", len(header)) + header)
    length = struct.unpack("!I", exactly(call, 4))[0]
    if length > LIMIT:
        sys.exit(f"a header of {length} bytes is too long")
    return json.loads(exactly(call, length))


def save(call, header, name):
    temporary = os.path.join(FOLDER, ".part")
    sha256 = hashlib.sha256()
    left = header["size"]
    try:
        with open(temporary, "wb") as file:
            while left > 0:
                piece = call.recv(min(left, 65536))
                if not piece:
                    sys.exit("end of stream in the middle of a file")
                file.write(piece)
                sha256.update(piece)
                left -= len(piece)
        if sha256.hexdigest() != header["sha256"]:
            sys.exit("the digest is wrong")
        os.replace(temporary, os.path.join(FOLDER, name))
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


call = socket.socket()
status = 0
try:
    call.connect((os.environ["HOST"], int(os.environ["PORT"])))
    for line in sys.stdin:
        word, _, name = line.strip().partition(" ")
        if word == "list":
            header = ask(call, {"request": "list"})
            print(exactly(call, header["size"]).decode())
            continue
        header = ask(call, {"request": "get", "name": name})
        if header.setdefault("size", 0) is not None:
            header.setdefault("sha256", hashlib.sha256().hexdigest())
            save(call, header, name)
        else:
            print("refused:", header["reason"])
            status = 1
except OSError as error:
    sys.exit(str(error))
sys.exit(status)
