/** Ports by the names of services (IANA), the few that programs ask for by name. */
interface Service {
  readonly port: number;
  readonly tcp: boolean;
  readonly udp: boolean;
}

const tcp = (port: number): Service => ({ port, tcp: true, udp: false });
const both = (port: number): Service => ({ port, tcp: true, udp: true });

const services: ReadonlyMap<string, Service> = new Map([
  ['echo', both(7)],
  ['ftp', tcp(21)],
  ['ssh', tcp(22)],
  ['telnet', tcp(23)],
  ['smtp', tcp(25)],
  ['time', both(37)],
  ['domain', both(53)],
  ['http', tcp(80)],
  ['www', tcp(80)],
  ['pop3', tcp(110)],
  ['ntp', { port: 123, tcp: false, udp: true }],
  ['imap', tcp(143)],
  ['imap2', tcp(143)],
  ['ldap', both(389)],
  ['https', both(443)],
  ['submission', tcp(587)],
  ['ldaps', tcp(636)],
  ['imaps', tcp(993)],
  ['pop3s', tcp(995)],
  ['socks', both(1080)],
  ['mqtt', tcp(1883)],
  ['mysql', tcp(3306)],
  ['postgresql', tcp(5432)],
  ['amqp', tcp(5672)],
  ['redis', tcp(6379)],
  ['http-alt', tcp(8080)],
]);

/** The port of a service over streams or datagrams; undefined = no such service there. */
export function servicePort(name: string, type: 'stream' | 'dgram'): number | undefined {
  const service = services.get(name.toLowerCase());
  return service && (type === 'stream' ? service.tcp : service.udp) ? service.port : undefined;
}
