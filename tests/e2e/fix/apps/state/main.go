// A service that keeps what it counts in a directory: it has to be there, and to be its own.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
)

func main() {
	dir := os.Getenv("STATE_DIRECTORY")
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		file := filepath.Join(dir, "visits")
		if err := os.WriteFile(file, []byte("1"), 0o600); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, "visits are kept")
	})
	log.Fatal(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
}
