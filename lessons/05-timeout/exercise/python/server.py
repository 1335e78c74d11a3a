"""Lesson 5, the server: it waits for its callers, but not for ever."""
import os
import socket
import sys
import time

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "9001"))
UNTIL = os.environ.get("UNTIL", "receive")  # a request is one receive, or a line: "newline"
ROOM = 1024  # a request has so many bytes at most


def seconds(name, usual):
    """A time from the environment, in seconds. What is no time ends the program."""
    text = os.environ.get(name, usual)
    # gap: Turn the text into a number. Unless it is above 0, end the program with status 1 and a
    # line that says why. Calls: float, sys.exit. Lesson 5, "Break it": "Ask for no time".
    try:
        number = float(text)
        if not 0 < number < 1e9:
            raise ValueError
    except ValueError:
        sys.exit("%s=%s is no time: give seconds above 0" % (name, text))
    return number
    # end of gap


def receive(call, room, end):
    """One receive; TimeoutError after TIMEOUT seconds, or when it is later than `end`."""
    # gap: Receive at most `room` bytes. Wait for TIMEOUT seconds, but never beyond `end`.
    # Calls: time.monotonic, settimeout, recv. Zero would mean something else: look before you set
    # it. Lesson 5, "What you saw and why".
    left = min(TIMEOUT, end - time.monotonic())
    if left <= 0:
        raise TimeoutError
    call.settimeout(left)
    return call.recv(room)
    # end of gap


def request(call):
    """What the caller wants; nothing when it hung up before it said so."""
    end = time.monotonic() + DEADLINE
    if UNTIL == "receive":
        return receive(call, ROOM, end)
    # gap: Receive until there is a line end, or ROOM bytes are full, or the stream has ended.
    # Give back what stands before the line end (b"\n" or b"\r\n"). Lesson 5, "Break it": "Drip".
    heard = b""
    while b"\n" not in heard and len(heard) < ROOM:
        piece = receive(call, ROOM - len(heard), end)
        if not piece:
            return b""
        heard += piece
    return heard.split(b"\n")[0].removesuffix(b"\r")
    # end of gap


def serve(call):
    """One request and its answer."""
    wanted = request(call)
    # gap: Answer "welcome to server!" to the one byte 1, "please go out!" to anything else, and
    # nothing to a caller that hung up. Call: sendall. Bytes from a caller need not be text.
    if wanted:
        call.sendall(b"welcome to server!" if wanted == b"1" else b"please go out!")
    # end of gap


TIMEOUT = seconds("TIMEOUT", "5")
DEADLINE = seconds("DEADLINE", "3600")
phone = socket.create_server((HOST, PORT))
print("listening on %s:%d" % phone.getsockname(), flush=True)
while True:
    try:
        call, caller = phone.accept()
    except ConnectionAbortedError:
        continue  # This caller is gone already. The next may be there.
    # gap: Serve the caller. After silence print "time out"; print other errors, too. Then close,
    # and take the next one. TimeoutError is an OSError: which one is caught first?
    with call:
        try:
            serve(call)
        except TimeoutError:
            print("time out", flush=True)
        except OSError as error:
            print("call of %s:%d:" % caller, error, flush=True)
    # end of gap
