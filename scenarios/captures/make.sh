#!/usr/bin/env bash
# Makes the captures of this folder again: real programs that talk over a bridge between network
# namespaces, with all offloads off, so that every frame is one that a wire could carry.
#
#   sudo ./make.sh [-o DIR] all | redis | http | dns | incast ...   capture (each takes a few seconds)
#        ./make.sh [-o DIR] info                                    write capinfos.csv for what is there
#        ./make.sh [-o DIR] check                                   frame sizes, time stamps, figures
#
# Everything runs in namespaces of its own, named after this process, and is gone when it ends.
# Captures are of living programs: a second run gives other times and slightly other packets.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
out=$here
captures=(redis.pcapng http.pcap dns.pcapng incast.pcapng)
largest_frame=1514        # MTU 1500 and an Ethernet header
largest_file=3000000      # bytes; they live in git
readonly here captures largest_frame largest_file

die() { echo "make.sh: $*" >&2; exit 1; }

# ---------------------------------------------------------------------------------------------- tools

need() {  # need TOOL=PACKAGE...
  local pair missing=()
  for pair in "$@"; do
    PATH=$PATH:/usr/sbin:/sbin type -P "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
  done
  ((${#missing[@]} == 0)) || die "missing tools; as root: apt-get install --no-install-recommends $(
    printf '%s\n' "${missing[@]}" | sort -u | tr '\n' ' ')"
}
readonly capture_tools=(ip=iproute2 ethtool=ethtool tcpdump=tcpdump capinfos=wireshark-common
  reordercap=wireshark-common editcap=wireshark-common tshark=tshark timeout=coreutils)

# ----------------------------------------------------------------------------------------- the network

prefix=sluice$$           # of our namespaces, so that nothing else is ever touched
work=""                   # our scratch folder
namespaces=()

network_down() {
  local name
  for name in "${namespaces[@]}"; do
    ip netns pids "$name" 2>/dev/null | xargs -r kill 2>/dev/null || true
  done
  for name in "${namespaces[@]}"; do ip netns delete "$name" 2>/dev/null || true; done
  namespaces=()
}

cleanup() {
  network_down
  [[ -z $work ]] || rm -rf -- "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

in_ns() { local name=$1; shift; ip netns exec "$prefix-$name" "$@"; }

namespace() {  # namespace NAME: no IPv6 unless an address is given, so no router solicitations
  ip netns add "$prefix-$1"
  namespaces+=("$prefix-$1")
  in_ns "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  in_ns "$1" ip link set lo up
}

offloads_off() { in_ns "$1" ethtool -K "$2" tx off rx off tso off gso off gro off >/dev/null; }

lan_up() {
  namespace lan
  in_ns lan ip link add br0 type bridge mcast_snooping 0
  in_ns lan ip link set br0 up
}

# machine NAME IPV4 [IPV6]: a namespace with eth0 on the bridge. The MAC address says which it is.
machine() {
  local name=$1 ipv4=$2 ipv6=${3:-} last=${2##*.}
  namespace "$name"
  in_ns lan ip link add "$name" type veth peer name eth0 netns "$prefix-$name"
  in_ns "$name" ip link set eth0 address "$(printf '02:00:0a:63:00:%02x' "$last")" mtu 1500
  offloads_off lan "$name"
  offloads_off "$name" eth0
  in_ns lan ip link set "$name" master br0 up
  in_ns "$name" ip address add "$ipv4/24" dev eth0
  if [[ -n $ipv6 ]]; then
    in_ns "$name" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0 net.ipv6.conf.eth0.accept_ra=0 \
      net.ipv6.conf.eth0.router_solicitations=0
    in_ns "$name" ip address add "$ipv6/64" dev eth0 nodad
  fi
  in_ns "$name" ip link set eth0 up
}

wait_for() {  # wait_for WHAT COMMAND...: at most 5 s
  local what=$1 tries=100; shift
  until "$@" >/dev/null 2>&1; do
    ((tries-- > 0)) || die "$what did not start within 5 s"
    sleep 0.05
  done
}

listens() { in_ns "$1" ss -Hnltu "sport = :$2" | grep -q .; }

# ----------------------------------------------------------------------------------------- the capture

tcpdump_pid=""

capture_start() {  # capture_start MACHINE: full frames, ns time stamps, from its eth0
  ip netns exec "$prefix-$1" tcpdump -i eth0 -s 0 -B 16384 --time-stamp-precision=nano -Z root -n \
    -w "$work/raw.pcap" 2>"$work/tcpdump.log" &
  tcpdump_pid=$!
  wait_for tcpdump grep -q '^tcpdump: listening\|, snapshot length' "$work/tcpdump.log"
}

capture_stop() {  # capture_stop FILE
  sleep 0.5
  kill -INT "$tcpdump_pid"
  wait "$tcpdump_pid" || die "tcpdump failed: $(<"$work/tcpdump.log")"
  grep -q '^0 packets dropped by kernel' "$work/tcpdump.log" ||
    die "the capture lost packets: $(<"$work/tcpdump.log")"
  # Packets from two CPUs may be written in the wrong order; a capture of ours has no such trouble.
  reordercap "$work/raw.pcap" "$work/ordered.pcap" >/dev/null
  case $1 in
    *.pcapng) editcap -F pcapng "$work/ordered.pcap" "$work/$1" ;;
    *.pcap) cp "$work/ordered.pcap" "$work/$1" ;;
  esac
  check_one "$work/$1"
  mv "$work/$1" "$out/$1"
  chmod 644 "$out/$1"
  network_down
}

# gated MACHINE COMMAND...: a command in the background that starts when the gate opens, with the others
clients=()
gated() {
  local name=$1; shift
  ip netns exec "$prefix-$name" timeout 20 sh -c 'cat "$0"; exec "$@"' "$work/gate" "$@" \
    >"$work/client-$name.log" 2>&1 &
  clients+=("$!")
}
open_gate() {
  local pid
  sleep 0.5                # until all of them wait
  timeout 5 sh -c ': >"$0"' "$work/gate"
  for pid in "${clients[@]}"; do wait "$pid" || die "a client failed: $(cat "$work"/client-*.log)"; done
  clients=()
}

# --------------------------------------------------------------------------------------- what is taken

# Three VMs load one redis-server at once: long values written, long values read, and tiny commands.
make_redis() {
  need redis-server=redis-server redis-benchmark=redis-tools
  lan_up
  machine server 10.99.0.2
  machine c1 10.99.0.11; machine c2 10.99.0.12; machine c3 10.99.0.13
  ip netns exec "$prefix-server" redis-server --bind 10.99.0.2 --protected-mode no --save '' \
    --appendonly no --daemonize no --dir "$work" >"$work/redis.log" 2>&1 &
  wait_for redis-server listens server 6379
  local bench=(redis-benchmark -h 10.99.0.2 -q -r 100)
  in_ns c1 timeout 20 "${bench[@]}" -t set -n 2000 -d 2048 >/dev/null  # there is something to read
  capture_start server
  gated c1 "${bench[@]}" -t set -P 16 -c 4 -n 640 -d 1024
  gated c2 "${bench[@]}" -t get -P 8 -c 4 -n 320
  gated c3 "${bench[@]}" -t incr -P 4 -c 8 -n 2000
  open_gate
  capture_stop redis.pcapng
}

# Three VMs fetch files of 1 kB, 10 kB, 50 kB and 200 kB; the small ones over kept connections.
make_http() {
  need nginx=nginx-light ab=apache2-utils
  lan_up
  machine server 10.99.0.3
  machine c1 10.99.0.21; machine c2 10.99.0.22; machine c3 10.99.0.23
  local kb
  mkdir -p "$work/www"
  for kb in 1 10 50 200; do
    { yes "Sluice: a line of text in a file of $kb kB." || true; } | head -c "${kb}000" >"$work/www/$kb"
  done
  cat >"$work/nginx.conf" <<CONF
daemon off; master_process off; pid $work/nginx.pid; error_log stderr;
events { worker_connections 256; }
http {
  access_log off; sendfile on; tcp_nodelay on; keepalive_requests 10000;
  client_body_temp_path $work/t1; proxy_temp_path $work/t2; fastcgi_temp_path $work/t3;
  uwsgi_temp_path $work/t4; scgi_temp_path $work/t5;
  server { listen 10.99.0.3:80; root $work/www; }
}
CONF
  ip netns exec "$prefix-server" nginx -p "$work" -c "$work/nginx.conf" >"$work/nginx.log" 2>&1 &
  wait_for nginx listens server 80
  capture_start server
  gated c1 ab -q -k -c 4 -n 200 http://10.99.0.3/1
  gated c2 ab -q -c 4 -n 40 http://10.99.0.3/10
  gated c3 sh -c 'ab -q -c 2 -n 8 http://10.99.0.3/50 && ab -q -k -c 2 -n 3 http://10.99.0.3/200'
  open_gate
  capture_stop http.pcap
}

# Four VMs, one of them over IPv6, ask one dnsmasq for addresses, names, texts and what is not there.
make_dns() {
  need dnsmasq=dnsmasq-base dig=bind9-dnsutils
  lan_up
  machine server 10.99.0.4 fd99::4
  machine c1 10.99.0.31; machine c2 10.99.0.32; machine c3 10.99.0.33
  machine c6 10.99.0.36 fd99::36
  local i text
  printf -v text 'key%d=value%d ' {1..36}
  text=${text:0:240}
  for i in {1..250}; do
    printf '10.99.%d.%d host%d.sluice.test\nfd99::1:%x host%d.sluice.test\n' \
      $((100 + i / 200)) $((1 + i % 200)) "$i" "$i" "$i"
  done >"$work/hosts"
  for i in {1..250}; do
    case $((i % 5)) in
      0) echo "host$i.sluice.test AAAA" ;;
      1) echo "text$((i % 4)).sluice.test TXT" ;;
      2) echo "missing$i.sluice.test A" ;;
      3) echo "-x 10.99.100.$((i % 200))" ;;
      4) echo "host$i.sluice.test A" ;;
    esac
  done >"$work/questions"
  ip netns exec "$prefix-server" dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root \
    --group=root --pid-file --no-resolv --no-hosts --addn-hosts="$work/hosts" --local=/sluice.test/ \
    --local=/10.in-addr.arpa/ --interface=eth0 --except-interface=lo --bind-interfaces \
    --txt-record="text0.sluice.test,$text" --txt-record="text1.sluice.test,$text,$text" \
    --txt-record="text2.sluice.test,$text,$text,$text" --txt-record="text3.sluice.test,short" \
    >"$work/dnsmasq.log" 2>&1 &
  wait_for dnsmasq listens server 53
  capture_start server
  local ask=(dig +noall +nocookie +tries=1 +timeout=2 -f "$work/questions")
  gated c1 "${ask[@]}" @10.99.0.4
  gated c2 "${ask[@]}" @10.99.0.4
  gated c3 "${ask[@]}" @10.99.0.4
  gated c6 "${ask[@]}" @fd99::4
  open_gate
  capture_stop dns.pcapng
}

# One aggregator asks eight workers at once, eight times, for 24 kB each.
make_incast() {
  need python3=python3
  local rounds=8 answer=24576 port=7000 i workers=()
  lan_up
  machine agg 10.99.0.5
  for i in {1..8}; do
    machine "w$i" "10.99.0.$((40 + i))"
    workers+=("10.99.0.$((40 + i))")
    ip netns exec "$prefix-w$i" timeout 30 python3 "$here/incast.py" worker "10.99.0.$((40 + i))" \
      "$port" "$answer" >"$work/worker$i.log" 2>&1 &
    wait_for "worker $i" listens "w$i" "$port"
  done
  capture_start agg
  in_ns agg timeout 20 python3 "$here/incast.py" aggregator "$port" "$rounds" "$answer" "${workers[@]}"
  capture_stop incast.pcapng
}

# ------------------------------------------------------------------------------------------- the figures

sums() { tshark -n -r "$1" -T fields -e frame.len -e frame.cap_len 2>/dev/null |
  awk '{ n++; w += $1; c += $2 } END { printf "%d,%d,%d\n", n, w, c }'; }

check_one() {  # frames that a wire can carry, whole, in order of time; a file that git can bear
  local problems
  problems=$(tshark -n -r "$1" -T fields -e frame.number -e frame.time_epoch -e frame.len -e frame.cap_len \
    2>/dev/null | awk -v largest="$largest_frame" '
      $3 > largest { print "frame " $1 " has " $3 " bytes" }
      $3 != $4 { print "frame " $1 " is sliced" }
      { split($2, t, "."); now = t[1] - base; if (NR == 1) { base = t[1]; now = 0 } }
      NR > 1 && (now < s || now == s && t[2] < ns) { print "frame " $1 " is earlier than the one before" }
      { s = now; ns = t[2] }
      END { if (NR == 0) print "no packet" }')
  [[ -z $problems ]] || die "$(basename "$1"): $(head -5 <<<"$problems")"
  (($(stat -c %s "$1") <= largest_file)) || die "$(basename "$1") is larger than $largest_file bytes"
}

present() { local file; for file in "${captures[@]}"; do [[ ! -e $out/$file ]] || echo "$file"; done; }

# packets and wire bytes are what capinfos says; tshark's own sum must agree, and gives captured bytes.
figures() {
  local file from_capinfos from_tshark
  echo file,packets,wire_bytes,captured_bytes
  for file in $(present); do
    from_capinfos=$(capinfos -T -r -m -M -c -d "$out/$file" | cut -d, -f2,3)
    from_tshark=$(sums "$out/$file")
    [[ $from_capinfos == "${from_tshark%,*}" ]] ||
      die "$file: capinfos says $from_capinfos, tshark $from_tshark (packets, bytes)"
    echo "$file,$from_tshark"
  done
}

info() { figures >"$work/capinfos.csv"; cp "$work/capinfos.csv" "$out/capinfos.csv"; }

check() {
  local file
  for file in $(present); do check_one "$out/$file"; done
  diff "$out/capinfos.csv" <(figures) || die "capinfos.csv does not match the captures; run: make.sh info"
  for file in $(present); do
    capinfos -M -t -E -I -c -d -u -i -z -o "$out/$file" 2>/dev/null | sed "s|^File name: .*|$file|"
  done
}

# ------------------------------------------------------------------------------------------------- main

usage() { sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; exit "$1"; }

main() {
  local jobs=() job
  while (($# > 0)); do
    case $1 in
      -h | --help) usage 0 ;;
      -o) (($# > 1)) || usage 2; out=$(cd -- "$2" && pwd); shift ;;
      all) jobs+=(redis http dns incast) ;;
      redis | http | dns | incast | info | check) jobs+=("$1") ;;
      *) echo "make.sh: unknown word: $1" >&2; usage 2 >&2 ;;
    esac
    shift
  done
  ((${#jobs[@]} > 0)) || usage 2 >&2
  need "${capture_tools[@]}"
  export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C
  work=$(mktemp -d)
  mkfifo "$work/gate"
  for job in "${jobs[@]}"; do
    case $job in
      info | check) "$job" ;;
      *)
        ((EUID == 0)) || die "needs root for network namespaces: sudo $0 $job"
        echo "make.sh: $job" >&2
        "make_$job"
        info
        ;;
    esac
  done
}

main "$@"
