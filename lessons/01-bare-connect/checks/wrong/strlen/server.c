// caught by 1/call/no-text
// A zero byte ends a string, and with it the answer.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what) {
    perror(what);
    exit(1);
}

int main(void) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons(atoi(getenv("PORT")));
    inet_pton(AF_INET, getenv("HOST"), &address.sin_addr);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) die("bind");
    if (listen(listener, 5) < 0) die("listen");
    socklen_t size = sizeof address;
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("listening on %s:%d\n", getenv("HOST"), ntohs(address.sin_port));
    fflush(stdout);
    int call = accept(listener, NULL, NULL);
    if (call < 0) die("accept");
    char message[1025];
    ssize_t got = recv(call, message, 1024, 0);
    if (got < 0) die("recv");
    message[got] = '\0';
    for (size_t i = 0; i < strlen(message); i++)
        if (message[i] >= 'a' && message[i] <= 'z') message[i] -= 'a' - 'A';
    if (got > 0 && send(call, message, strlen(message), MSG_NOSIGNAL) < 0) perror("send");
    close(call);
    close(listener);
    return 0;
}
