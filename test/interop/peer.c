// A libzmq peer driven over stdio. Each command is one line, a JSON array of strings without
// escapes: ["send","s1","68656c6c6f"]; each answer is ["ok",...] or ["error","EAGAIN"].
// Parts travel as hex, and from 256 bytes on as "@size:seed" (see parts.ts for the pattern).
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum { kMaxWords = 64, kMaxSockets = 16, kHexLimit = 256, kModulus = 251 };

typedef struct {
  char name[32];
  void* handle;
  void* monitor;
} Slot;

typedef struct {
  const char* name;
  int id;
  int is_bytes;
} OptionRow;

static const OptionRow kOptions[] = {
    {"routingId", ZMQ_ROUTING_ID, 1},
    {"linger", ZMQ_LINGER, 0},
    {"sendHighWaterMark", ZMQ_SNDHWM, 0},
    {"receiveHighWaterMark", ZMQ_RCVHWM, 0},
    {"heartbeatInterval", ZMQ_HEARTBEAT_IVL, 0},
    {"heartbeatTimeout", ZMQ_HEARTBEAT_TIMEOUT, 0},
    {"heartbeatTimeToLive", ZMQ_HEARTBEAT_TTL, 0},
    {"probeRouter", ZMQ_PROBE_ROUTER, 0},
    {"mandatory", ZMQ_ROUTER_MANDATORY, 0},
    {"correlate", ZMQ_REQ_CORRELATE, 0},
    {"reconnectInterval", ZMQ_RECONNECT_IVL, 0},
    {"rate", ZMQ_RATE, 0},
    {"recoveryInterval", ZMQ_RECOVERY_IVL, 0},
};

static const char* const kTypes[] = {"PAIR",   "PUB",  "SUB",  "REQ",  "REP", "DEALER",
                                     "ROUTER", "PULL", "PUSH", "XPUB", "XSUB"};

static void* context;
static Slot slots[kMaxSockets];

static const char* error_name(int code) {
  switch (code) {
    case EAGAIN:
      return "EAGAIN";
    case EINVAL:
      return "EINVAL";
    case EADDRINUSE:
      return "EADDRINUSE";
    case EHOSTUNREACH:
      return "EHOSTUNREACH";
    case EFSM:
      return "EFSM";
    case ENOENT:
      return "ENOENT";
    default:
      return zmq_strerror(code);
  }
}

static void answer_error(void) { printf("[\"error\",\"%s\"]\n", error_name(zmq_errno())); }

static void answer(int rc) {
  if (rc < 0)
    answer_error();
  else
    printf("[\"ok\"]\n");
}

static Slot* find(const char* name) {
  for (int i = 0; i < kMaxSockets; i++)
    if (slots[i].handle && strcmp(slots[i].name, name) == 0) return &slots[i];
  return NULL;
}

static size_t from_hex(const char* hex, unsigned char* out) {
  size_t size = strlen(hex) / 2;
  for (size_t i = 0; i < size; i++) sscanf(hex + 2 * i, "%2hhx", &out[i]);
  return size;
}

static int init_part(zmq_msg_t* part, const char* spec) {
  unsigned long size, seed;
  if (sscanf(spec, "@%lu:%lu", &size, &seed) == 2) {
    if (zmq_msg_init_size(part, size) < 0) return -1;
    unsigned char* data = zmq_msg_data(part);
    for (size_t i = 0; i < size; i++) data[i] = (unsigned char)((seed + i) % kModulus);
    return 0;
  }
  if (zmq_msg_init_size(part, strlen(spec) / 2) < 0) return -1;
  from_hex(spec, zmq_msg_data(part));
  return 0;
}

static void print_part(const unsigned char* data, size_t size) {
  if (size < kHexLimit) {
    for (size_t i = 0; i < size; i++) printf("%02x", data[i]);
    return;
  }
  for (size_t i = 0; i < size; i++) {
    if (data[i] != (data[0] + i) % kModulus) {
      printf("corrupt at %zu of %zu", i, size);
      return;
    }
  }
  printf("@%zu:%u", size, data[0]);
}

static int set_option(void* socket, const char* name, const char* value) {
  for (size_t i = 0; i < sizeof kOptions / sizeof *kOptions; i++) {
    if (strcmp(kOptions[i].name, name) != 0) continue;
    if (kOptions[i].is_bytes) return zmq_setsockopt(socket, kOptions[i].id, value, strlen(value));
    int number = atoi(value);
    return zmq_setsockopt(socket, kOptions[i].id, &number, sizeof number);
  }
  errno = EINVAL;
  return -1;
}

static void open_socket(int count, char** words) {
  Slot* slot = NULL;
  for (int i = 0; i < kMaxSockets && !slot; i++)
    if (!slots[i].handle) slot = &slots[i];
  int type = 0;
  while (type < 11 && strcmp(kTypes[type], words[2]) != 0) type++;
  void* socket = slot ? zmq_socket(context, type) : NULL;
  if (!socket) return answer_error();
  int linger = 0, timeout = 10000;
  zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
  zmq_setsockopt(socket, ZMQ_SNDTIMEO, &timeout, sizeof timeout);
  for (int i = 3; i + 1 < count; i += 2) {
    if (set_option(socket, words[i], words[i + 1]) < 0) {
      answer_error();
      zmq_close(socket);
      return;
    }
  }
  snprintf(slot->name, sizeof slot->name, "%s", words[1]);
  slot->handle = socket;
  answer(0);
}

static void bind_socket(Slot* slot, const char* endpoint) {
  char bound[256];
  size_t size = sizeof bound;
  if (zmq_bind(slot->handle, endpoint) < 0) return answer_error();
  zmq_getsockopt(slot->handle, ZMQ_LAST_ENDPOINT, bound, &size);
  printf("[\"ok\",\"%s\"]\n", bound);
}

static void send_message(Slot* slot, int count, char** words) {
  for (int i = 2; i < count; i++) {
    zmq_msg_t part;
    if (init_part(&part, words[i]) < 0) return answer_error();
    if (zmq_msg_send(&part, slot->handle, i + 1 < count ? ZMQ_SNDMORE : 0) < 0) {
      answer_error();
      zmq_msg_close(&part);
      return;
    }
  }
  answer(0);
}

static void receive_message(Slot* slot, int timeout) {
  zmq_setsockopt(slot->handle, ZMQ_RCVTIMEO, &timeout, sizeof timeout);
  int more = 1;
  for (int first = 1; more; first = 0) {
    zmq_msg_t part;
    zmq_msg_init(&part);
    if (zmq_msg_recv(&part, slot->handle, 0) < 0) return answer_error();
    printf("%s,\"", first ? "[\"ok\"" : "");
    print_part(zmq_msg_data(&part), zmq_msg_size(&part));
    printf("\"");
    more = zmq_msg_more(&part);
    zmq_msg_close(&part);
  }
  printf("]\n");
}

static void change_subscription(Slot* slot, int option, const char* hex) {
  unsigned char topic[kHexLimit];
  size_t size = from_hex(hex, topic);
  answer(zmq_setsockopt(slot->handle, option, topic, size));
}

static void run(int count, char** words) {
  const char* op = words[0];
  if (strcmp(op, "open") == 0) return open_socket(count, words);
  Slot* slot = find(words[1]);
  if (!slot) {
    printf("[\"error\",\"no such socket\"]\n");
  } else if (strcmp(op, "bind") == 0) {
    bind_socket(slot, words[2]);
  } else if (strcmp(op, "connect") == 0) {
    answer(zmq_connect(slot->handle, words[2]));
  } else if (strcmp(op, "disconnect") == 0) {
    answer(zmq_disconnect(slot->handle, words[2]));
  } else if (strcmp(op, "subscribe") == 0) {
    change_subscription(slot, ZMQ_SUBSCRIBE, words[2]);
  } else if (strcmp(op, "unsubscribe") == 0) {
    change_subscription(slot, ZMQ_UNSUBSCRIBE, words[2]);
  } else if (strcmp(op, "send") == 0) {
    send_message(slot, count, words);
  } else if (strcmp(op, "receive") == 0) {
    receive_message(slot, atoi(words[2]));
  } else if (strcmp(op, "close") == 0) {
    zmq_close(slot->handle);
    slot->handle = NULL;
    answer(0);
  } else {
    printf("[\"error\",\"no such command\"]\n");
  }
}

int main(void) {
  context = zmq_ctx_new();
  char* line = NULL;
  size_t capacity = 0;
  printf("[\"ok\",\"ready\"]\n");
  fflush(stdout);
  while (getline(&line, &capacity, stdin) > 0) {
    char* words[kMaxWords];
    int count = 0;
    for (char* at = strchr(line, '"'); at && count < kMaxWords; at = strchr(at + 1, '"')) {
      words[count++] = at + 1;
      at = strchr(at + 1, '"');
      *at = '\0';
    }
    run(count, words);
    fflush(stdout);
  }
  return 0;
}
