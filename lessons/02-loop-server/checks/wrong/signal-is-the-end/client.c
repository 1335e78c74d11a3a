// caught by 2/forced/interrupted-client
// A receive that a signal interrupts (EINTR) is taken for the end of the answer.
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    return 1;
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    int call = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in server = {.sin_family = AF_INET};
    server.sin_port = htons(atoi(getenv("PORT")));
    inet_pton(AF_INET, getenv("HOST"), &server.sin_addr);
    if (connect(call, (struct sockaddr *)&server, sizeof server) < 0)
        return fail("connect: refused");

    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    while ((length = getline(&line, &room, stdin)) > 0) {
        if (line[length - 1] == '\n')
            length--;
        char *answer = malloc(length + 1);
        ssize_t sent = 0, received = 0;
        while (received < length) {
            // Never far ahead of the answers.
            while (sent < length && sent - received < 4096) {
                ssize_t most = 4096 - (sent - received);
                if (most > length - sent)
                    most = length - sent;
                ssize_t more = write(call, line + sent, most);
                if (more < 0 && errno == EINTR)
                    continue;
                if (more < 0)
                    return fail("send: the connection is gone");
                sent += more;
            }
            ssize_t more = read(call, answer + received, length - received);
            if (more == 0)
                return fail("recv: the end of the stream in mid-answer");
            if (more < 0 && errno == ECONNRESET)
                return fail("recv: connection reset");
            if (more < 0)
                break;
            received += more;
        }
        fwrite(answer, 1, received, stdout);
        putchar('\n');
        fflush(stdout);
        free(answer);
    }
    return 0;
}
