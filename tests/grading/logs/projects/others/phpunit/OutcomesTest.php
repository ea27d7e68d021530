<?php

declare(strict_types=1);

namespace Swerun\Outcomes;

use PHPUnit\Framework\TestCase;

final class OutcomesTest extends TestCase
{
    public function testPasses(): void
    {
        $this->assertTrue(true);
    }

    public function testFails(): void
    {
        $this->assertSame(1, 2);
    }

    public function testFailsByAnException(): void
    {
        throw new \RuntimeException('as it should (in brackets)');
    }

    public function testSkips(): void
    {
        $this->markTestSkipped('not today');
    }

    public function testIsIncomplete(): void
    {
        $this->markTestIncomplete();
    }

    public function testIsRisky(): void
    {
    }

    /** @dataProvider numbers */
    public function testPassesWith(int $number): void
    {
        $this->assertGreaterThan(0, $number);
    }

    public static function numbers(): array
    {
        return ['one of them' => [1], 'a "quoted" one' => [2], 3 => [3]];
    }
}
