/* Of the header of EPICS Base what ca.cpp needs. */
#include <cstdint>

#define CA_PROTO_VERSION 0
#define CA_PROTO_READ_NOTIFY 15
#define CA_PROTO_CREATE_CHAN 18
#define CA_PROTO_CLIENT_NAME 20
#define CA_PROTO_HOST_NAME 21
#define CA_PROTO_CREATE_CH_FAIL 26
#define CA_PROTO_SERVER_DISCONN 27

struct caHdr {
    uint16_t m_cmmd, m_postsize, m_dataType, m_count;
    uint32_t m_cid, m_available;
};
