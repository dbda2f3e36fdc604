// Passes requests on to MCP_URL with MCP_KEY, for tests that know no keys. Prints its port in one line, and ends when its
// standard input does.
import http from 'node:http';

const target = new URL(process.env.MCP_URL);
const server = http.createServer((request, response) => {
  const own = [`127.0.0.1:${server.address().port}`, `localhost:${server.address().port}`];
  const headers = { ...request.headers, authorization: `Bearer ${process.env.MCP_KEY}` };
  // What asks for this address asks for the server; another name is passed on as it is.
  if (own.includes(headers.host)) headers.host = target.host;
  if (own.some((name) => headers.origin === `http://${name}`)) headers.origin = target.origin;
  const options = { host: target.hostname, port: target.port, path: request.url, method: request.method, headers };
  const onward = http.request(options, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  response.on('close', () => onward.destroy());
  request.pipe(onward);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
