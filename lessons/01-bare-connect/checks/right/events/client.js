// Events and callbacks: Node. The server's FIN is waited for, too.
const net = require("node:net");
const call = net.connect(Number(process.env.PORT), process.env.HOST, () => {
  call.write("hello from node");
});
let answered = false;
call.once("data", (data) => {
  answered = true;
  console.log(data.toString());
  call.end();
});
call.on("end", () => {
  if (!answered) {
    console.error("the server hung up without an answer");
    process.exitCode = 1;
  }
});
call.on("error", (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
