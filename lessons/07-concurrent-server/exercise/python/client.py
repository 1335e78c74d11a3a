"""Lesson 7, the client: a crowd that looks at each byte of its answers."""
import os
import socket
import sys
import threading

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8084"))
CLIENTS = int(os.environ.get("CLIENTS", "10"))
MESSAGES = int(os.environ.get("MESSAGES", "10"))

wrong = []  # what went wrong, one text for each client


def one_client(number):
    """All messages of one client; ValueError when an answer is not right."""
    with socket.create_connection((HOST, PORT)) as call:
        for turn in range(MESSAGES):
            message = b"message %d of client %d" % (turn, number)
            call.sendall(message)
            # gap: Receive as many bytes as the message has, and compare them with what they must
            # be. Raise ValueError when one is wrong, or missing. Call: recv. Lesson 2, and
            # lesson 7, "Exercise".
            answer = b""
            while len(answer) < len(message):
                piece = call.recv(len(message) - len(answer))
                if not piece:
                    raise ValueError("an answer is %d bytes short" % (len(message) - len(answer)))
                answer += piece
            if answer != message.upper():
                raise ValueError("%r is no answer to %r" % (answer, message))
            # end of gap
        # gap: After the last answer nothing more may come. End your sending side, and receive:
        # raise ValueError for each byte too many. Calls: shutdown, recv.
        call.shutdown(socket.SHUT_WR)
        if call.recv(1):
            raise ValueError("an answer has a byte too many")
        # end of gap


def guarded(number):
    try:
        one_client(number)
    except (OSError, ValueError) as error:
        wrong.append("client %d: %s" % (number, error))


# gap: Run guarded(number) for each number below CLIENTS, all at once, and wait for all.
# Calls: threading.Thread, start, join. Lesson 7, "What is new".
crowd = [threading.Thread(target=guarded, args=(number,)) for number in range(CLIENTS)]
for one in crowd:
    one.start()
for one in crowd:
    one.join()
# end of gap

if wrong:
    sys.exit("%d of %d clients failed; %s" % (len(wrong), CLIENTS, wrong[0]))
print("%d clients had %d right answers each" % (CLIENTS, MESSAGES))
