// caught by 1/client/reset
// Nobody looks at what recv gives back: what is in the buffer counts as the answer.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
    int call = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in server = {.sin_family = AF_INET};
    server.sin_port = htons(atoi(getenv("PORT")));
    inet_pton(AF_INET, getenv("HOST"), &server.sin_addr);
    if (connect(call, (struct sockaddr *)&server, sizeof server) < 0) {
        perror("connect");
        return 1;
    }
    char buffer[1024] = "";
    send(call, "hello", 5, 0);
    recv(call, buffer, sizeof buffer - 1, 0);
    printf("received %s\n", buffer);
    close(call);
    return 0;
}
