// An echo server on Go's net package: a goroutine for each call.
//
//	go build -o gonet net.go && ./gonet 8084
package main

import (
	"fmt"
	"net"
	"os"
)

func serve(call net.Conn) {
	defer call.Close()
	buffer := make([]byte, 16384)
	for {
		length, err := call.Read(buffer)
		if err != nil {
			return
		}
		if _, err := call.Write(buffer[:length]); err != nil {
			return
		}
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for {
		if call, err := listener.Accept(); err == nil {
			go serve(call)
		}
	}
}
