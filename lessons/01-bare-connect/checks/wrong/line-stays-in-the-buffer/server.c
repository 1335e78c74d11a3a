// caught by 1/start/says-where
// printf keeps the line back, because stdout is a pipe and no terminal.
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
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

    int call = accept(server, NULL, NULL);
    char buffer[1024];
    ssize_t count = recv(call, buffer, sizeof buffer, 0);
    for (ssize_t i = 0; i < count; i++)
        if (buffer[i] >= 'a' && buffer[i] <= 'z')
            buffer[i] -= 'a' - 'A';
    if (count > 0)
        send(call, buffer, count, 0);
    close(call);
    close(server);
    return count < 0;
}
