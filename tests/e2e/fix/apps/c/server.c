/* A service on a library of the distribution: it answers what SQLite calculates. */
#include <netinet/in.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
    sqlite3 *db;
    sqlite3_stmt *row;
    if (sqlite3_open(":memory:", &db) || sqlite3_prepare_v2(db, "select 6 * 7", -1, &row, 0) || sqlite3_step(row) != SQLITE_ROW)
        return 1;
    char answer[128];
    snprintf(answer, sizeof answer, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nanswer %d\n", sqlite3_column_int(row, 0));

    const char *port = getenv("PORT");
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port ? atoi(port) : 8080)};
    int server = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(server, (struct sockaddr *)&at, sizeof at) || listen(server, 8))
        return 1;
    for (;;) {
        int client = accept(server, 0, 0);
        char request[1024];
        if (client < 0 || read(client, request, sizeof request) < 0)
            continue;
        if (write(client, answer, strlen(answer)) < 0)
            perror("write");
        close(client);
    }
}
