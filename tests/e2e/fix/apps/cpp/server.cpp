// A service on a library of its own: what it greets is in there.
#include "greet.hpp"

#include <cstdlib>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

int main() {
    const char *port = std::getenv("PORT");
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<unsigned short>(std::stoi(port ? port : "8080")));
    int server = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(server, reinterpret_cast<sockaddr *>(&at), sizeof at) || listen(server, 8))
        return 1;
    const std::string answer = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n" + greet("c++") + "\n";
    for (;;) {
        char request[1024];
        int client = accept(server, nullptr, nullptr);
        if (client < 0 || read(client, request, sizeof request) < 0)
            continue;
        if (write(client, answer.data(), answer.size()) < 0)
            return 1;
        close(client);
    }
}
