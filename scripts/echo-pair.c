/* An echo server and its client, for scripts/slowdown.sh: one connection, one
 * message of 64 bytes there and back, so many times.
 * echo-pair server PORT | echo-pair client PORT ROUND-TRIPS */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void check(int result, const char *what)
{
    if (result < 0) {
        perror(what);
        exit(1);
    }
}

int main(int count, char **words)
{
    if (count < 3)
        return 2;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(words[2]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1, socket_ = socket(AF_INET, SOCK_STREAM, 0);
    char message[64] = "hello";
    if (strcmp(words[1], "server") == 0) {
        check(bind(socket_, (struct sockaddr *)&address, sizeof address), "bind");
        check(listen(socket_, 5), "listen");
        puts("listening");
        fflush(stdout);
        int connection = accept(socket_, NULL, NULL);
        check(connection, "accept");
        ssize_t length;
        while ((length = recv(connection, message, sizeof message, 0)) > 0)
            check(send(connection, message, length, 0), "send");
        return 0;
    }
    check(connect(socket_, (struct sockaddr *)&address, sizeof address), "connect");
    check(setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), "setsockopt");
    for (int trip = atoi(words[3]); trip > 0; trip--) {
        check(send(socket_, message, sizeof message, 0), "send");
        check(recv(socket_, message, sizeof message, MSG_WAITALL), "recv");
    }
    return 0;
}
