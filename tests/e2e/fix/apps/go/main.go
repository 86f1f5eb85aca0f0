// A service that needs more than its program at run time: a template, and the time zones.
package main

import (
	"html/template"
	"log"
	"net/http"
	"os"
	"time"
)

func main() {
	page := template.Must(template.ParseFiles("templates/page.html"))
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		summer := time.Date(2024, 7, 1, 10, 0, 0, 0, time.UTC).In(berlin)
		if err := page.Execute(w, summer.Format("15:04")); err != nil {
			log.Print(err)
		}
	})
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	log.Fatal(http.ListenAndServe(":"+port, nil))
}
