"""Lesson 6, the server: it hands out the files of a folder."""
import hashlib
import json
import os
import socket
import struct

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8083"))
FOLDER = os.path.realpath(os.environ.get("FOLDER", "."))
LIMIT = 65536  # no header is longer
PIECE = 65536  # so much of a body is in memory


class Refused(Exception):
    """What the client asks for cannot be had; the call goes on."""


def serve_one(call, caller):
    """Serves a caller; whatever happens, the next one can be served."""
    # gap: Serve the caller. The end of the stream (EOFError) and all errors of its socket (OSError)
    # end this call alone. You know it from lesson 2.
    with call:
        try:
            serve(call)
        except (EOFError, OSError) as error:
            print("call of %s:%d:" % caller, error, flush=True)
    # end of gap


def exactly(call, count):
    """Receives so many bytes, however they come; EOFError when the stream ends before."""
    # gap: Receive until you have `count` bytes, and never more than that.
    # Call: recv, in a loop. The end of the stream is a receive of 0 bytes: raise EOFError.
    # Lesson 6, "What you saw and why".
    received = b""
    while len(received) < count:
        piece = call.recv(count - len(received))
        if not piece:
            raise EOFError("end of stream after %d of %d bytes" % (len(received), count))
        received += piece
    return received
    # end of gap


def send_header(call, header):
    """4 bytes of length, then the header in JSON."""
    # gap: Turn the header into bytes, and send their number in 4 bytes, then the bytes.
    # Calls: json.dumps, struct.pack (most significant byte first), sendall. Lesson 6, "What is new".
    data = json.dumps(header).encode()
    call.sendall(struct.pack("!I", len(data)) + data)
    # end of gap


def receive_header(call):
    """The bytes of the next header; None when the stream has ended before it."""
    # gap: Receive the length, compare it with LIMIT, and receive so many bytes.
    # Calls: exactly (above), struct.unpack. If it is too long, send an error as refuse() does, and
    # raise EOFError: nobody knows where the next message begins. Lesson 6, "What you saw and why".
    (length,) = struct.unpack("!I", exactly(call, 4))
    if length > LIMIT:
        refuse(call, "a header of %d bytes is too long" % length)
        raise EOFError("header too long")
    return exactly(call, length)
    # end of gap


def refuse(call, reason):
    send_header(call, {"status": "error", "reason": reason})


def understand(data):
    """The request in a header; Refused if there is none in it."""
    # gap: Decode the JSON, and see whether it is an object whose "request" is "list" or "get".
    # Call: json.loads. Raise Refused for all that is no request: no text, no JSON, a number, …
    try:
        request = json.loads(data.decode())
    except (ValueError, RecursionError):
        raise Refused("no JSON") from None
    if not isinstance(request, dict) or request.get("request") not in ("list", "get"):
        raise Refused("no request that we know")
    return request
    # end of gap


def place(name):
    """Where a file is that the client has named; Refused if it may not have it."""
    # gap: Refuse a name that is no text, that leads out of FOLDER, also by a link, and that names
    # no regular file. Calls: os.path.join, realpath, dirname, isfile. Lesson 6, "Break it".
    try:
        path = os.path.realpath(os.path.join(FOLDER, name))
        if os.path.basename(name) == name and os.path.dirname(path) == FOLDER:
            if os.path.isfile(path):
                return path
    except (TypeError, ValueError):
        pass
    raise Refused("no such file")
    # end of gap


def send_file(call, name):
    """The header with size and digest, then the bytes of the file."""
    try:
        file = open(place(name), "rb")
    except OSError:
        raise Refused("the file cannot be read") from None
    with file:
        # gap: Find out size and SHA-256, send the header, and send the bytes, PIECE by PIECE.
        # Calls: hashlib.sha256, read, seek, send_header, sendall. Lesson 6, "What is new".
        digest, size = hashlib.sha256(), 0
        while piece := file.read(PIECE):
            digest.update(piece)
            size += len(piece)
        send_header(call, ok(name, size, digest))
        file.seek(0)
        while size > 0:
            piece = file.read(min(size, PIECE))
            if not piece:
                raise EOFError("the file has become shorter")
            call.sendall(piece)
            size -= len(piece)
        # end of gap


def send_list(call):
    """A body with a line "SIZE NAME" for each file."""
    # gap: Make the list, sorted by name, and send it as if it were a file with the name "list".
    # Calls: os.listdir, place, os.path.getsize, ok, send_header, sendall.
    lines = []
    for name in sorted(os.listdir(FOLDER)):
        try:
            lines.append("%d %s\n" % (os.path.getsize(place(name)), name))
        except (Refused, OSError):
            continue
    body = "".join(lines).encode()
    send_header(call, ok("list", len(body), hashlib.sha256(body)))
    call.sendall(body)
    # end of gap


def ok(name, size, digest):
    return {"status": "ok", "name": name, "size": size, "sha256": digest.hexdigest()}


def serve(call):
    """Answers one request after the other, until the stream ends."""
    while True:
        data = receive_header(call)
        try:
            request = understand(data)
            if request["request"] == "list":
                send_list(call)
            else:
                send_file(call, request.get("name"))
        except Refused as reason:
            refuse(call, str(reason))


phone = socket.create_server((HOST, PORT))
print("listening on %s:%d" % phone.getsockname(), flush=True)
while True:
    try:
        call, caller = phone.accept()
    except ConnectionAbortedError:
        continue  # This caller is gone already. The next may be there.
    serve_one(call, caller)
