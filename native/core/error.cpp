// Names and texts of error codes.
#include "zerowire/error.hpp"

namespace zerowire {
namespace {

struct Row {
  int code;
  const char* name;
  const char* text;
};

// Where a platform gives two names to one number, the first row wins.
constexpr Row kRows[] = {
    {0, "OK", "No error"},
    {EAGAIN, "EAGAIN", "Not possible without waiting, or the timeout passed"},
    {EINVAL, "EINVAL", "Invalid argument"},
    {EBADF, "EBADF", "The socket or descriptor is closed"},
    {EBUSY, "EBUSY", "Busy with another operation"},
    {ENOTSUP, "ENOTSUP", "Not supported by this type of socket"},
    {EOPNOTSUPP, "EOPNOTSUPP", "Operation not supported on this descriptor"},
    {ENOENT, "ENOENT", "No such endpoint, file or directory"},
    {EADDRINUSE, "EADDRINUSE", "The address is in use"},
    {EADDRNOTAVAIL, "EADDRNOTAVAIL", "The address does not belong to this machine"},
    {ENODEV, "ENODEV", "No such network interface or local host"},
    {EPROTONOSUPPORT, "EPROTONOSUPPORT", "The transport is not supported"},
    {EHOSTUNREACH, "EHOSTUNREACH", "The host or peer cannot be reached"},
    {EMFILE, "EMFILE", "Too many open sockets or files in this process"},
    {ENFILE, "ENFILE", "Too many open files in the system"},
    {EMSGSIZE, "EMSGSIZE", "The message is too long"},
    {ENAMETOOLONG, "ENAMETOOLONG", "The path or name is too long"},
    {ENOMEM, "ENOMEM", "Out of memory"},
    {ENOBUFS, "ENOBUFS", "No buffer space left in the kernel"},
    {EFAULT, "EFAULT", "The context has been shut down"},
    {ECONNREFUSED, "ECONNREFUSED", "The connection was refused"},
    {ECONNRESET, "ECONNRESET", "The peer reset the connection"},
    {ECONNABORTED, "ECONNABORTED", "The connection was aborted"},
    {ETIMEDOUT, "ETIMEDOUT", "Timed out"},
    {EPROTO, "EPROTO", "The peer violated the protocol"},
    {EPIPE, "EPIPE", "The peer has closed its end of the connection"},
    {EINPROGRESS, "EINPROGRESS", "The operation is in progress"},
    {EALREADY, "EALREADY", "An earlier attempt is still in progress"},
    {EISCONN, "EISCONN", "Already connected"},
    {ENOTCONN, "ENOTCONN", "Not connected"},
    {ENETDOWN, "ENETDOWN", "The network is down"},
    {ENETUNREACH, "ENETUNREACH", "The network cannot be reached"},
    {ENETRESET, "ENETRESET", "The network dropped the connection"},
    {EHOSTDOWN, "EHOSTDOWN", "The host is down"},
    {ESHUTDOWN, "ESHUTDOWN", "The connection has been shut down"},
    {EAFNOSUPPORT, "EAFNOSUPPORT", "The address family is not available on this machine"},
    {EPFNOSUPPORT, "EPFNOSUPPORT", "The protocol family is not available on this machine"},
    {ESOCKTNOSUPPORT, "ESOCKTNOSUPPORT", "The kind of socket is not available on this machine"},
    {EPROTOTYPE, "EPROTOTYPE", "The address belongs to another kind of socket"},
    {ENOPROTOOPT, "ENOPROTOOPT", "The protocol option is not available on this machine"},
    {ENOTSOCK, "ENOTSOCK", "The descriptor is not a socket"},
    {EDESTADDRREQ, "EDESTADDRREQ", "A destination address is required"},
    {EACCES, "EACCES", "Permission denied"},
    {EPERM, "EPERM", "Operation not permitted"},
    {EEXIST, "EEXIST", "The file exists already"},
    {ENOTDIR, "ENOTDIR", "A component of the path is not a directory"},
    {EISDIR, "EISDIR", "The path is a directory"},
    {ENOTEMPTY, "ENOTEMPTY", "The directory is not empty"},
    {ELOOP, "ELOOP", "Too many symbolic links in the path"},
    {EROFS, "EROFS", "The file system is read-only"},
    {ENOSPC, "ENOSPC", "No space left"},
    {EDQUOT, "EDQUOT", "The disk quota is used up"},
    {EIO, "EIO", "Input/output error"},
    {ENXIO, "ENXIO", "No such device or address"},
    {EINTR, "EINTR", "Interrupted by a signal"},
    {ECANCELED, "ECANCELED", "The operation was cancelled"},
    {EDEADLK, "EDEADLK", "Waiting would never end"},
    {EOVERFLOW, "EOVERFLOW", "A value is too large for its type"},
    {ERANGE, "ERANGE", "A result is out of range"},
    {E2BIG, "E2BIG", "The list of arguments is too long"},
    {EBADMSG, "EBADMSG", "Malformed message"},
    {EILSEQ, "EILSEQ", "Invalid byte sequence"},
    {ENOSYS, "ENOSYS", "The system lacks this function"},
    {static_cast<int>(Errc::fsm), "EFSM", "Not possible in the present state of the exchange"},
    {static_cast<int>(Errc::no_compatible_protocol), "ENOCOMPATPROTO",
     "The transport cannot be used with this type of socket"},
    {static_cast<int>(Errc::terminated), "ETERM", "The context is being closed"},
};

constexpr Row kUnknown = {-1, "EUNKNOWN", "Unknown error"};

const Row& row(Errc code) {
  for (const Row& candidate : kRows) {
    if (candidate.code == static_cast<int>(code)) return candidate;
  }
  return kUnknown;
}

}  // namespace

const char* errc_name(Errc code) { return row(code).name; }

const char* errc_text(Errc code) { return row(code).text; }

}  // namespace zerowire
