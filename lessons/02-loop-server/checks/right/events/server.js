// One thread and an event loop: Node.
const net = require("node:net");
const server = net.createServer({ allowHalfOpen: true }, (call) => {
  call.on("data", (data) => {
    // Bytes, not characters.
    call.write(data.map((byte) => (byte >= 97 && byte <= 122 ? byte - 32 : byte)));
  });
  call.on("end", () => call.end());
  call.on("error", (error) => console.log(error.message));
});
server.listen(Number(process.env.PORT), process.env.HOST, () => {
  const { address, port } = server.address();
  console.log(`listening on ${address}:${port}`);
});
