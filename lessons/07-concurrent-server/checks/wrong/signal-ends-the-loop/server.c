// caught by 7/forced/interrupted
// A poll that a signal interrupts (EINTR) ends the loop that serves all.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 512, ROOM = 65536 };

// What is not sent yet of each call, by its place in the poll.
static struct { char bytes[ROOM]; ssize_t length, sent; } calls[MOST];
static struct pollfd polled[MOST];

// Sends what is left; below 0 when the call is over.
static int send_rest(int place)
{
    while (calls[place].sent < calls[place].length) {
        ssize_t more = write(polled[place].fd, calls[place].bytes + calls[place].sent,
                             calls[place].length - calls[place].sent);
        if (more < 0 && errno == EAGAIN)
            break;
        if (more < 0)
            return -1;
        calls[place].sent += more;
    }
    // Who does not take an answer is not received from.
    polled[place].events = calls[place].sent < calls[place].length ? POLLOUT : POLLIN;
    return 0;
}

static int serve(int place)
{
    if (polled[place].events == POLLOUT)
        return send_rest(place);
    ssize_t count = read(polled[place].fd, calls[place].bytes, ROOM);
    if (count < 0 && errno == EAGAIN)
        return 0;
    if (count <= 0)
        return -1;
    for (ssize_t i = 0; i < count; i++)
        if (calls[place].bytes[i] >= 'a' && calls[place].bytes[i] <= 'z')
            calls[place].bytes[i] -= 'a' - 'A';
    calls[place].length = count;
    calls[place].sent = 0;
    return send_rest(place);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t length = sizeof own;
    own.sin_port = htons(atoi(getenv("PORT")));
    inet_pton(AF_INET, getenv("HOST"), &own.sin_addr);
    if (bind(server, (struct sockaddr *)&own, length) < 0 || listen(server, 512) < 0) {
        perror("bind or listen");
        return 1;
    }
    getsockname(server, (struct sockaddr *)&own, &length);
    printf("listening on %s:%d\n", inet_ntoa(own.sin_addr), ntohs(own.sin_port));
    fflush(stdout);
    fcntl(server, F_SETFL, O_NONBLOCK);

    int count = 1;
    polled[0] = (struct pollfd){.fd = server, .events = POLLIN};
    for (;;) {
        if (poll(polled, count, -1) < 0) {
            perror("poll");
            return 1;
        }
        for (int place = count - 1; place > 0; place--) {
            if (!polled[place].revents || serve(place) == 0)
                continue;
            close(polled[place].fd);
            count--;
            polled[place] = polled[count];
            calls[place] = calls[count];
        }
        if (polled[0].revents && count < MOST) {
            int call = accept(server, NULL, NULL);
            if (call < 0)
                continue;
            fcntl(call, F_SETFL, O_NONBLOCK);
            polled[count] = (struct pollfd){.fd = call, .events = POLLIN};
            memset(&calls[count], 0, sizeof calls[count]);
            count++;
        }
    }
}
