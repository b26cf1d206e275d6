# Searches a server of skyblast with Perl's clients of NCBI's, of which only the base URL is changed.
#
# Usage: perl url_api.pl (whole|broken) BASE_URL QUERIES.fa DATABASE
#
# Needs BioPerl with Bio::Tools::Run::RemoteBlast. Prints a line per client and thing done; dies if one of them does
# not get what it expects.

use strict;
use warnings;

use Bio::SeqIO;
use Bio::Tools::Run::RemoteBlast;
use LWP::UserAgent;
use URI::Escape;

my ($mode, $base, $queries, $database) = @ARGV;
my $end = time + 300;

sub wait_a_little {
    die "a client waits for ever\n" if time > $end;
    select undef, undef, undef, 0.3;
}

# What the synopsis of RemoteBlast does with one of its answers; the report, or the code that it ended with.
sub answer_of {
    my ($factory) = @_;
    while (1) {
        my ($rid) = $factory->each_rid or die "no search was accepted\n";
        my $answer = $factory->retrieve_blast($rid);
        return $answer if ref $answer || $answer != 0;
        wait_a_little();
    }
}

my $next = Bio::SeqIO->new(-file => $queries, -format => 'fasta');
my @sequences;
while (my $sequence = $next->next_seq) { push @sequences, $sequence }
my ($query) = sort { $b->length <=> $a->length } @sequences;

sub factory {
    my (@more) = @_;
    my $factory = Bio::Tools::Run::RemoteBlast->new(-prog => 'blastp', -data => $database, -expect => '1e-3', @more);
    $factory->set_url_base($base);
    return $factory;
}

sub hits_of {
    my ($method) = @_;
    my $factory = factory(-readmethod => $method);
    $factory->submit_blast($query) or die "not submitted\n";
    my $answer = answer_of($factory);
    die "RemoteBlast ended with $answer\n" unless ref $answer;
    my $result = $answer->next_result or die "$method: no result\n";
    my @hits;
    while (my $hit = $result->next_hit) {
        my $hsp = $hit->next_hsp or die "$method: a hit without HSPs\n";
        push @hits, join ' ', $hsp->start('query'), $hsp->end('query'), $hsp->start('hit'), $hsp->end('hit');
    }
    return @hits;
}

sub remote_blast {
    my @text = hits_of('SearchIO');
    die "no hits: choose another query\n" unless @text;
    print "BioPerl, RemoteBlast: Text\n";
    {
        # Its parser of XML is a package of its own, which Debian does not have.
        local $Bio::Tools::Run::RemoteBlast::RETRIEVALHEADER{'ALIGNMENT_VIEW'} = 'Tabular';
        my @found = hits_of('blasttable');
        die "@found are not @text\n" unless "@found" eq "@text";
        print "BioPerl, RemoteBlast: Tabular\n";
    }
    my $factory = factory();
    $factory->submit_blast([@sequences[0, 1]]);
    my $rids = () = $factory->each_rid;
    die "$rids searches of two sequences\n" unless $rids == 2;
    print "BioPerl, RemoteBlast: a search per sequence\n";
    local $SIG{__WARN__} = sub {};
    my $unknown = Bio::Tools::Run::RemoteBlast->new(-prog => 'blastp', -data => 'nothing');
    $unknown->set_url_base($base);
    die "an unknown database was accepted\n" if $unknown->submit_blast($query);
    print "BioPerl, RemoteBlast: unknown database\n";
}

# What NCBI's sample in Perl does, written anew; the RID and the exit status that it would end with.
sub poll_loop {
    my ($fasta) = @_;
    my $agent = LWP::UserAgent->new;
    my $form = "CMD=Put&PROGRAM=blastp&DATABASE=$database&QUERY=" . uri_escape($fasta);
    my $page = $agent->post($base, 'Content-Type' => 'application/x-www-form-urlencoded', Content => $form);
    my ($rid) = $page->content =~ /^    RID = (.*$)/m;
    my ($rtoe) = $page->content =~ /^    RTOE = (.*$)/m;
    die "no estimate: $rtoe\n" unless $rtoe =~ /^\d+$/;
    while (1) {
        wait_a_little();
        my $info = $agent->get("$base?CMD=Get&FORMAT_OBJECT=SearchInfo&RID=$rid")->content;
        next if $info =~ /\s+Status=WAITING/m;
        return ($rid, 4) if $info =~ /\s+Status=FAILED/m;
        return ($rid, 3) if $info =~ /\s+Status=UNKNOWN/m;
        return ($rid, $info =~ /\s+ThereAreHits=yes/m ? 0 : 2) if $info =~ /\s+Status=READY/m;
        return ($rid, 5);
    }
}

sub sample {
    my $fasta = '>' . $query->display_id . "\n" . $query->seq . "\n";
    my ($rid, $status) = poll_loop($fasta);
    die "the sample ended with $status\n" unless $status == 0;
    my $text = LWP::UserAgent->new->get("$base?CMD=Get&FORMAT_TYPE=Text&RID=$rid")->content;
    die "no report: $text\n" unless $text =~ /^BLASTP /m && $text =~ /^Query= /m;
    print "NCBI's sample in Perl: Text\n";
    (undef, $status) = poll_loop(">none\nWWWWWWWWWWWWWWWWWW\n");
    die "the sample ended with $status\n" unless $status == 2;
    print "NCBI's sample in Perl: no hits\n";
}

sub broken {
    local $SIG{__WARN__} = sub {};
    my $factory = factory();
    $factory->submit_blast($query) or die "not submitted\n";
    my $answer = answer_of($factory);
    die "a report of all shards\n" if ref $answer;
    print "BioPerl, RemoteBlast: partial failure\n";
    my (undef, $status) = poll_loop('>' . $query->display_id . "\n" . $query->seq . "\n");
    die "the sample ended with $status\n" unless $status == 4;
    print "NCBI's sample in Perl: partial failure\n";
}

$| = 1;
if ($mode eq 'broken') { broken() } else { remote_blast(); sample() }
