// caught by 2/forced/interrupted
// An accept that a signal interrupts (EINTR) is taken for a listener that is broken.
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t length = sizeof own;
    own.sin_port = htons(atoi(getenv("PORT")));
    inet_pton(AF_INET, getenv("HOST"), &own.sin_addr);
    if (bind(server, (struct sockaddr *)&own, length) < 0 || listen(server, 5) < 0) {
        perror("bind or listen");
        return 1;
    }
    getsockname(server, (struct sockaddr *)&own, &length);
    printf("listening on %s:%d\n", inet_ntoa(own.sin_addr), ntohs(own.sin_port));
    fflush(stdout);

    for (;;) {
        int call = accept(server, NULL, NULL);
        if (call < 0 && errno == ECONNABORTED)
            continue;
        if (call < 0) {
            perror("accept");
            return 1;
        }
        char buffer[1024];
        ssize_t count;
        while ((count = read(call, buffer, sizeof buffer)) > 0) {
            for (ssize_t i = 0; i < count; i++)
                if (buffer[i] >= 'a' && buffer[i] <= 'z')
                    buffer[i] -= 'a' - 'A';
            for (ssize_t sent = 0, more; sent < count; sent += more) {
                more = write(call, buffer + sent, count - sent);
                if (more < 0)
                    break;
            }
        }
        close(call);
    }
}
