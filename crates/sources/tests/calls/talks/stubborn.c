/* Receives one byte after the other from its standard input; a signal with a
   handler starts a call again. It must not notice anything. */

#include <signal.h>
#include <sys/socket.h>

static void nothing(int signal)
{
    (void)signal;
}

int main(void)
{
    struct sigaction action = {.sa_handler = nothing, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, 0);
    char buffer[8];
    for (const char *next = "hello"; *next; next++)
        if (recv(0, buffer, sizeof buffer, 0) != 1 || buffer[0] != *next)
            return 1;
    return 0;
}
