// What an instance counts: of each PDU received one verdict, and what it did by itself.
//
// Rows of tables: the names are stable, as metrics and JSON have them.

#ifndef FLOWACCT_ISIS_INSTANCE_COUNTERS_H_
#define FLOWACCT_ISIS_INSTANCE_COUNTERS_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace flowacct::isis {

// name, text, help
#define FLOWACCT_ISIS_VERDICTS(X)                                                                                      \
  X(kHello, "hello", "hellos of neighbours")                                                                           \
  X(kLspNew, "lsp_new", "LSPs that were not known")                                                                    \
  X(kLspNewer, "lsp_newer", "LSPs newer than what was stored")                                                         \
  X(kLspSame, "lsp_same", "LSPs that were known")                                                                      \
  X(kLspOlder, "lsp_older", "LSPs older than what is stored, which was sent back")                                     \
  X(kLspConfused, "lsp_confused", "LSPs whose sequence number is known with another checksum (ISO 10589, 7.3.16.2)")   \
  X(kLspPurge, "lsp_purge", "purges of known LSPs")                                                                    \
  X(kLspPurgeUnknown, "lsp_purge_unknown", "purges of LSPs that are not known")                                        \
  X(kLspOwn, "lsp_own", "LSPs in this system's name, newer than it has made (an earlier life, or another system)")     \
  X(kCsnp, "csnp", "complete sequence numbers PDUs")                                                                   \
  X(kPsnp, "psnp", "partial sequence numbers PDUs")                                                                    \
  X(kPsnpOfLan, "psnp_of_lan", "PSNPs on a LAN: for the designated system, which this one never is")                   \
  X(kUnknownCircuit, "unknown_circuit", "of a circuit that is not there")                                              \
  X(kTruncated, "truncated", "ends before what its lengths promise")                                                   \
  X(kBadVersion, "bad_version", "another protocol or version")                                                         \
  X(kBadLength, "bad_length", "lengths, or the size of system identifiers, that cannot be")                            \
  X(kUnsupported, "unsupported", "PDU types that are not IS-IS between routers")                                       \
  X(kMalformedHello, "malformed_hello", "hellos whose TLVs do not add up")                                             \
  X(kMalformedSnp, "malformed_snp", "sequence numbers PDUs whose TLVs do not add up")                                  \
  X(kWrongKind, "wrong_kind", "point-to-point hellos on a LAN, or the other way round")                                \
  X(kWrongLevel, "wrong_level", "of a level that the circuit does not have")                                           \
  X(kOtherInstance, "other_instance", "of another instance than the standard one (RFC 8202)")                          \
  X(kMaxAreaMismatch, "max_area_mismatch", "maximum area addresses other than 3 (ISO 10589, 7.3.15.1)")                \
  X(kAreaMismatch, "area_mismatch", "level 1 without an area in common")                                               \
  X(kThreeWayMismatch, "three_way_mismatch", "hellos to another system or circuit (RFC 5303, 3.2)")                    \
  X(kDuplicateSystem, "duplicate_system", "another system with this one's identifier, or two neighbours with one")     \
  X(kOwnFrame, "own_frame", "this system's own frames")                                                                \
  X(kNeighborLimit, "neighbor_limit", "hellos of more neighbours than the circuit may have")                           \
  X(kNoAdjacency, "no_adjacency", "LSPs and sequence numbers of who is no neighbour")                                  \
  X(kBadChecksum, "bad_checksum", "LSPs whose checksum is wrong or missing")                                           \
  X(kBadSequence, "bad_sequence", "LSPs with sequence number 0")                                                       \
  X(kDatabaseFull, "database_full", "LSPs beyond the bounds of the database")                                          \
  X(kAuthenticationMissing, "authentication_missing", "no authentication, though a key is set")                        \
  X(kAuthenticationType, "authentication_type", "authentication of another kind")                                      \
  X(kAuthenticationLength, "authentication_length", "authentication whose length cannot be")                           \
  X(kAuthenticationKeyId, "authentication_key_id", "authentication with another key's identifier")                     \
  X(kAuthenticationFailed, "authentication_failed", "authentication with another secret, or octets that were changed") \
  X(kAuthenticationTwice, "authentication_twice", "authenticated twice, which RFC 5304 forbids")                       \
  X(kPurgeWithContent, "purge_with_content", "authenticated purges with TLVs that they must not have (RFC 6233)")

enum class Verdict : uint8_t {
#define X(name, text, help) name,
  FLOWACCT_ISIS_VERDICTS(X)
#undef X
};

// name, text, help
#define FLOWACCT_ISIS_EVENTS(X)                                                                                     \
  X(kHellosSent, "hellos_sent", "hellos sent")                                                                      \
  X(kLspsSent, "lsps_sent", "LSPs sent")                                                                            \
  X(kLspsSentAgain, "lsps_sent_again", "LSPs sent again, for want of an acknowledgement")                           \
  X(kCsnpsSent, "csnps_sent", "complete sequence numbers PDUs sent")                                                \
  X(kPsnpsSent, "psnps_sent", "partial sequence numbers PDUs sent")                                                 \
  X(kAdjacenciesUp, "adjacencies_up", "adjacencies that came up")                                                   \
  X(kAdjacenciesDown, "adjacencies_down", "adjacencies that went down")                                             \
  X(kHoldExpired, "hold_expired", "neighbours that fell silent")                                                    \
  X(kLspsExpired, "lsps_expired", "LSPs that nobody refreshed, purged")                                             \
  X(kLspsForgotten, "lsps_forgotten", "purged LSPs removed from the database")                                      \
  X(kOwnLspsMade, "own_lsps_made", "LSPs of this system made")                                                      \
  X(kOwnLspsPurged, "own_lsps_purged", "LSPs in this system's name that it did not make, purged")                   \
  X(kSequenceExhausted, "sequence_exhausted", "own LSPs silent because the sequence numbers ran out")               \
  X(kMalformedHellos, "malformed_hellos", "hellos with a TLV that could not be read, heard without it (RFC 8918)")  \
  X(kMalformedLsps, "malformed_lsps", "stored LSPs whose TLVs do not add up")                                       \
  X(kTooLargeToSend, "too_large_to_send", "LSPs too large for a circuit")                                           \
  X(kRequestsRefused, "requests_refused", "LSPs told of by neighbours, not asked for because the database is full") \
  X(kOutgoingRefused, "outgoing_refused", "PDUs not sent because nobody takes what is to be sent")

enum class Event : uint8_t {
#define X(name, text, help) name,
  FLOWACCT_ISIS_EVENTS(X)
#undef X
};

#define X(name, text, help) +1
inline constexpr size_t kVerdictCount = 0 FLOWACCT_ISIS_VERDICTS(X), kEventCount = 0 FLOWACCT_ISIS_EVENTS(X);
#undef X

using VerdictCounters = std::array<uint64_t, kVerdictCount>;

inline constexpr const char* kVerdictNames[] = {
#define X(name, text, help) text,
    FLOWACCT_ISIS_VERDICTS(X)
#undef X
};
inline constexpr const char* kEventNames[] = {
#define X(name, text, help) text,
    FLOWACCT_ISIS_EVENTS(X)
#undef X
};

}  // namespace flowacct::isis

#endif  // FLOWACCT_ISIS_INSTANCE_COUNTERS_H_
