// Tells every port how many pages have connected so far: what proves that tabs share one worker.
let ports = 0;
self.onconnect = ({ ports: [port] }) => {
  ports += 1;
  port.postMessage(ports);
};
