"""Lesson 6, the client: "list" or "get NAME" on each line of its input."""
import hashlib
import json
import os
import socket
import struct
import sys
import tempfile

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8083"))
FOLDER = os.environ.get("FOLDER", ".")
LIMIT = 65536  # no header is longer
PIECE = 65536  # so much of a body is in memory


def send_header(call, header):
    """4 bytes of length, then the header in JSON."""
    # gap: Turn the header into bytes, and send their number in 4 bytes, then the bytes.
    # Calls: json.dumps, struct.pack (most significant byte first), sendall. Lesson 6, "What is new".
    data = json.dumps(header).encode()
    call.sendall(struct.pack("!I", len(data)) + data)
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


def receive_header(call):
    """The header of an answer: an object."""
    # gap: Receive the length, compare it with LIMIT, receive so many bytes, and decode the JSON.
    # Calls: exactly (above), struct.unpack, json.loads. Raise ValueError for a header that is too
    # long. Lesson 6, "What you saw and why".
    (length,) = struct.unpack("!I", exactly(call, 4))
    if length > LIMIT:
        raise ValueError("a header of %d bytes is too long" % length)
    return json.loads(exactly(call, length))
    # end of gap


def receive_body(call, header, write):
    """Gives the body to `write`, piece by piece; ValueError if the digest is another one."""
    # gap: Receive as many bytes as the header's "size" says, at most PIECE at once, and hand each
    # piece to write. Compare the SHA-256 at the end. Calls: recv, hashlib.sha256.
    digest, missing = hashlib.sha256(), header["size"]
    while missing > 0:
        piece = call.recv(min(missing, PIECE))
        if not piece:
            raise EOFError("end of stream, %d bytes of the body are missing" % missing)
        digest.update(piece)
        write(piece)
        missing -= len(piece)
    if digest.hexdigest() != header["sha256"]:
        raise ValueError("the digest is another one")
    # end of gap


def save(call, header, name):
    """Receives the body into FOLDER; there is no new file unless all of it is right."""
    # gap: Write under a temporary name in FOLDER, and rename at the end. After any error remove
    # the temporary file. Calls: tempfile.mkstemp, receive_body, os.replace, os.remove.
    handle, temporary = tempfile.mkstemp(dir=FOLDER)
    try:
        with os.fdopen(handle, "wb") as file:
            receive_body(call, header, file.write)
        os.replace(temporary, os.path.join(FOLDER, name))
    except BaseException:
        os.remove(temporary)
        raise
    # end of gap


def ask(call, line):
    """One request; whether it was granted."""
    word, _, name = line.partition(" ")
    if word == "get":
        if os.path.basename(name) != name or name in ("", ".", ".."):
            raise ValueError("%r is no name of a file" % name)
        send_header(call, {"request": "get", "name": name})
    else:
        send_header(call, {"request": word})
    header = receive_header(call)
    if header["status"] != "ok":
        print("refused:", header["reason"], file=sys.stderr)
        return False
    if word == "get":
        save(call, header, name)
        print("saved", name, flush=True)
    else:
        receive_body(call, header, sys.stdout.buffer.write)
        sys.stdout.buffer.flush()
    return True


try:
    with socket.create_connection((HOST, PORT)) as call:
        granted = [ask(call, line.rstrip("\n")) for line in sys.stdin]
    sys.exit(0 if all(granted) else 1)
except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
    sys.exit("call to %s:%d: %s" % (HOST, PORT, error))
