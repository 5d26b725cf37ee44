#include "flowacct/enrich/networks.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace flowacct::enrich {
namespace {

base::IpAddress Address(absl::string_view text) { return *base::IpAddress::Parse(text); }

TEST(Networks, PlainLines) {
  const auto networks = Networks::Parse(
      "# ours\n"
      "192.0.2.0/24\n"
      "! comments of both kinds, blanks, and lines of Windows\r\n"
      "\n"
      "  64496 , 198.51.100.0/24  # behind a line\n"
      "64497,198.51.100.128/25\r\n"
      "203.0.113.1,64498,2001:db8::/32\n"
      "64500_64499,203.0.113.0/24\n"
      "0,203.0.113.0/25\n"
      "CustID#1!,,,10.0.0.0/8\n"
      "C2,192.0.2.9,64500,10.1.0.0/16",
      "networks.txt");
  ASSERT_TRUE(networks.ok()) << networks.status();
  EXPECT_EQ(networks->size(), 8u);
  EXPECT_EQ(networks->Describe(Address("192.0.2.9")), "192.0.2.0/24");
  EXPECT_EQ(networks->Describe(Address("198.51.100.1")), "198.51.100.0/24 as=64496");
  EXPECT_EQ(networks->Describe(Address("198.51.100.200")), "198.51.100.128/25 as=64497");
  EXPECT_EQ(networks->Describe(Address("2001:db8::1")), "2001:db8::/32 next_hop=203.0.113.1 as=64498");
  EXPECT_EQ(networks->Describe(Address("203.0.113.200")), "203.0.113.0/24 peer_as=64500 as=64499");
  EXPECT_EQ(networks->Describe(Address("203.0.113.1")), "203.0.113.0/25");
  EXPECT_EQ(networks->Describe(Address("10.9.0.1")), "10.0.0.0/8 name=CustID#1!");
  EXPECT_EQ(networks->Describe(Address("10.1.0.1")), "10.1.0.0/16 name=C2 next_hop=192.0.2.9 as=64500");
  EXPECT_EQ(networks->Describe(Address("11.0.0.1")), "");
  EXPECT_EQ(networks->Find(Address("11.0.0.1")), nullptr);
  EXPECT_EQ(Networks::Parse("", "empty")->Find(Address("10.0.0.1")), nullptr);
}

TEST(Networks, NamedColumns) {
  const auto networks = Networks::Parse(
      "# made by a script\n"
      "Name, prefix ,as,country,src:tag,dst:label,next_hop,coords,peer_as\n"
      "\"Example, \"\"Ltd.\"\"\",192.0.2.0/24,64496,NL,7,a label,198.51.100.1,\"52.5,4.75\",64500\n"
      ",198.51.100.0/24,,, , ,,,\n"
      "\"x\" , 198.51.100.0/25 , 64497 ,,,,,,  # comment\n",
      "n.csv");
  ASSERT_TRUE(networks.ok()) << networks.status();
  EXPECT_EQ(networks->columns().size(), 8u);
  EXPECT_EQ(networks->Describe(Address("192.0.2.1")),
            "192.0.2.0/24 name=Example, \"Ltd.\" as=64496 country=NL src:tag=7 dst:label=a label "
            "next_hop=198.51.100.1 coords=52.5,4.75 peer_as=64500");
  EXPECT_EQ(networks->Describe(Address("198.51.100.129")), "198.51.100.0/24");
  EXPECT_EQ(networks->Describe(Address("198.51.100.1")), "198.51.100.0/25 name=x as=64497");
}

TEST(Networks, WhatIsToldOfManyPrefixesIsKeptOnce) {
  std::string text = "prefix,as,name\n";
  for (int i = 0; i < 256; ++i) absl::StrAppend(&text, "10.", i, ".0.0/16,", 64496 + i % 2, ",customer ", i % 2, "\n");
  const auto networks = Networks::Parse(text, "n");
  ASSERT_TRUE(networks.ok()) << networks.status();
  EXPECT_EQ(networks->texts().size(), 2u);
  EXPECT_EQ(networks->Find(Address("10.4.0.1"))->attributes, networks->Find(Address("10.200.0.1"))->attributes);
  EXPECT_NE(networks->Find(Address("10.4.0.1"))->attributes, networks->Find(Address("10.5.0.1"))->attributes);
}

TEST(Networks, ErrorsNameFileAndLine) {
  const auto error = [](absl::string_view text, NetworksOptions options = {}) {
    return std::string(Networks::Parse(text, "n.txt", options).status().message());
  };
  struct Case {
    const char* text;
    const char* error;
  };
  for (const Case& c : std::vector<Case>{
           {"192.0.2.0/24\n192.0.2.0/33\n", "n.txt:2: \"192.0.2.0/33\" is no prefix; write one such as 192.0.2.0/24"},
           {"AS1,192.0.2.0/24", "n.txt:1: \"AS1\" is no AS number; write one from 0 to 4294967295 before the prefix"},
           {"4294967296,192.0.2.0/24",
            "n.txt:1: \"4294967296\" is no AS number; write one from 0 to 4294967295 before the prefix"},
           {"1_,192.0.2.0/24", "n.txt:1: \"\" is no AS number; write one from 0 to 4294967295 before the prefix"},
           {"\n\nx,1,192.0.2.0/24", "n.txt:3: \"x\" is no address; write the next hop, such as 198.51.100.1"},
           {"1,2,3,4,192.0.2.0/24",
            "n.txt:1: more than four parts; a line is PREFIX, or AS,PREFIX, or NEXT "
            "HOP,AS,PREFIX, or NAME,NEXT HOP,AS,PREFIX"},
           {"prefix,nmae", "n.txt:1: no column is called \"nmae\"; did you mean name?"},
           {"prefix,zzzzzz",
            "n.txt:1: no column is called \"zzzzzz\"; there are prefix, as, name, next_hop, peer_as, "
            "country, src:FIELD, dst:FIELD and others"},
           {"prefix,tag",
            "n.txt:1: \"tag\" has no form for source and destination; write src:tag or dst:tag, by whose "
            "network it is set"},
           {"prefix,src:tga", "n.txt:1: no field is called \"tga\"; did you mean tag?"},
           {"prefix,as,src:src_as", "n.txt:1: two columns set src_as"},
           {"prefix,Prefix", "n.txt:1: two columns are called \"prefix\""},
           {"prefix,dst:as_path", "n.txt:1: as_path cannot be set: it is what routes and packets tell"},
           {"prefix,as\n10.0.0.0/8", "n.txt:2: 1 parts, but 2 columns were named"},
           {"prefix,as\n10.0.0.0/8,x", "n.txt:2: \"x\" is no value that src_as can have; it is of type u32"},
           {"prefix,name\n10.0.0.0/8,\"x",
            "n.txt:2: a part in quotes does not end; write \"\" for a quote inside of one"},
       }) {
    EXPECT_EQ(error(c.text), c.error) << c.text;
  }
  NetworksOptions options;
  options.max_networks = 1;
  EXPECT_EQ(error("10.0.0.0/8\n11.0.0.0/8", options),
            "n.txt:2: more than max_networks = 1 networks; raise it or shorten the file");
}

}  // namespace
}  // namespace flowacct::enrich
