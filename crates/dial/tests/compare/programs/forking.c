/* A server with a process for each call; it ends after five. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void serve(int connection)
{
    char buffer[1024];
    ssize_t length;
    while ((length = read(connection, buffer, sizeof buffer)) > 0)
        write(connection, buffer, length);
    _exit(length == 0 ? 0 : 1);
}

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(8081)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 5)) {
        perror("bind, listen");
        return 1;
    }
    puts("listening");
    fflush(stdout);
    for (int call = 0; call < 5; call++) {
        int connection = accept(listener, NULL, NULL);
        if (fork() == 0) {
            close(listener);
            serve(connection);
        }
        close(connection);
    }
    while (wait(NULL) > 0)
        ;
    return 0;
}
